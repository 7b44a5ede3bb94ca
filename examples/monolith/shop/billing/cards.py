"""Cards: charging one, and settling with the bank at night."""

import logging

LOG = logging.getLogger("billing.cards")
CARDS = {"ada": "9341", "grace": "2718"}  # whose, and its last digits


class CardDeclinedError(Exception):
    """The bank said no."""


def charge(card: str, cents: int) -> str:
    """The number of the receipt."""
    if card not in CARDS:
        raise CardDeclinedError(f"a {card} card buys books, not hats")
    return f"{CARDS[card]}-{cents}"


def settle(day: str, statement: str = "") -> int:
    """How many lines of the bank's statement were booked."""
    if not statement:
        LOG.error("the bank sent no statement for %s", day)
    return len(statement.splitlines())
