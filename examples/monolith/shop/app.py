"""The front door (platform's): every request comes in here, every error is reported from here."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import sentry_sdk

from examples.monolith.shop.search import shelves
from examples.monolith.shop.web import basket, checkout

ROUTES: dict[str, Callable[..., str]] = {
    "/basket": basket.show,
    "/checkout": checkout.pay,
    "/search": shelves.find,
}


def get(url: str) -> int:
    """The status that the visitor sees."""
    address = urlsplit(url)
    with sentry_sdk.new_scope() as scope:
        scope.set_transaction_name(address.path)
        try:
            ROUTES[address.path](**dict(parse_qsl(address.query)))
        except Exception as error:  # noqa: BLE001 one visitor's error must not close the shop
            sentry_sdk.capture_exception(error)
            return 500
    return 200
