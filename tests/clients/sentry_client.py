"""Sentry's SDK: `pip install sentry-sdk brotli`.

Its bodies are packed as the last argument says, `gzip` or `br`. It sends a transaction and a log
too, which are no errors.
"""

import sys

import sentry_sdk

from examples.monolith.shop.web import checkout


def main(url: str, key: str, coding: str) -> None:
    sentry_sdk.init(
        dsn=url.replace("://", f"://{key}@") + "/1",
        release="2026.11.1",
        environment="production",
        traces_sample_rate=1.0,
        enable_logs=True,
        _experiments={"transport_compression_algo": coding},
    )
    with sentry_sdk.start_transaction(name="GET /"):
        sentry_sdk.logger.info("nothing failed")
    try:
        checkout.pay("bowler", "GB", card="library")
    except checkout.CheckoutError as error:
        sentry_sdk.capture_exception(error)
    sentry_sdk.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
