"""Rollbar's client: `pip install rollbar`."""

import sys
from pathlib import Path

import rollbar

from examples.monolith.shop.web import checkout


def main(url: str, key: str) -> None:
    rollbar.init(
        key,
        environment="production",
        endpoint=f"{url}/api/1/",
        root=str(Path.cwd()),
        code_version="2026.11.1",
        handler="blocking",
    )
    try:
        checkout.pay("bowler", "GB", card="library")
    except checkout.CheckoutError:
        rollbar.report_exc_info()


if __name__ == "__main__":
    main(*sys.argv[1:])
