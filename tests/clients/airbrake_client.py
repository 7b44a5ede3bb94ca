"""Airbrake's client: `pip install pybrake`."""

import sys
from pathlib import Path

import pybrake

from examples.monolith.shop.web import checkout


def main(url: str, key: str) -> None:
    notifier = pybrake.Notifier(
        project_id=1,
        project_key=key,
        host=url,
        root_directory=str(Path.cwd()),
        environment="production",
        performance_stats=False,
        query_stats=False,
        queue_stats=False,
    )
    try:
        checkout.pay("bowler", "GB", card="library")
    except checkout.CheckoutError as error:
        notice = notifier.notify_sync(error)
        if "id" not in notice:
            sys.exit(f"refused: {notice.get('error')}")


if __name__ == "__main__":
    main(*sys.argv[1:])
