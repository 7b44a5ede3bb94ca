"""Honeybadger's client: `pip install honeybadger`."""

import sys
from pathlib import Path

from honeybadger import honeybadger

from examples.monolith.shop.web import checkout


def main(url: str, key: str) -> None:
    honeybadger.configure(
        api_key=key,
        endpoint=url,
        project_root=str(Path.cwd()),
        environment="production",
        force_report_data=True,
        force_sync=True,
    )
    try:
        checkout.pay("bowler", "GB", card="library")
    except checkout.CheckoutError as error:
        honeybadger.notify(error, tags=["shop:hats"])


if __name__ == "__main__":
    main(*sys.argv[1:])
