"""A day at the hat shop: five things go wrong, each in another way.

    SENTRY_DSN=http://any@127.0.0.1:8000/1 python -m examples.monolith

Run it from the repository's root: then the SDK names each file as ownership_rules.yaml does.
"""

import os
import sys

import sentry_sdk

from examples.monolith.shop import app
from examples.monolith.shop.billing import cards

VISITS = (
    "/checkout?hat=fez&country=Atlantis",  # raised in billing, called from web
    "/checkout?hat=bowler&country=GB&card=library",  # thrown in web, because of billing
    "/search?hat=tricorne",  # raised in shared code, called from search
    '/basket?cookie={"fez": 2, "bow',  # raised inside json, called from web
)


def main() -> None:
    if not os.environ.get("SENTRY_DSN"):
        sys.exit("SENTRY_DSN is not set: `make run` prints the one to use")
    sentry_sdk.init(release="hat-shop@2026.3")  # reads SENTRY_DSN
    for url in VISITS:
        print(f"  {app.get(url)}  GET {url}")
    cards.settle("Monday")  # only logs an error: an event without a stack
    print("  ---  nightly settlement for Monday")
    sentry_sdk.flush(timeout=10)


if __name__ == "__main__":
    main()
