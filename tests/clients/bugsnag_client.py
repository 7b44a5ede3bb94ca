"""Bugsnag's client: `pip install bugsnag`."""

import sys
from pathlib import Path

import bugsnag

from examples.monolith.shop.web import checkout


def main(url: str, key: str) -> None:
    bugsnag.configure(
        api_key=key,
        endpoint=f"{url}/notify",
        auto_capture_sessions=False,
        project_root=str(Path.cwd()),
        release_stage="production",
        app_version="2026.11.1",
        asynchronous=False,
    )
    try:
        checkout.pay("bowler", "GB", card="library")
    except checkout.CheckoutError as error:
        bugsnag.notify(error, severity="error")


if __name__ == "__main__":
    main(*sys.argv[1:])
