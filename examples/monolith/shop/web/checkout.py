"""The last page before the hat is yours."""

from examples.monolith.shop.billing import cards, tax

PRICES = {"bowler": 8900, "deerstalker": 7400, "fez": 3900}  # cents


class CheckoutError(Exception):
    """What the visitor is told; the cause hangs on it."""


def pay(hat: str, country: str, card: str = "ada") -> str:
    cents = tax.with_tax(PRICES[hat], country)
    try:
        receipt = cards.charge(card, cents)
    except cards.CardDeclinedError as error:
        raise CheckoutError(f"the {hat} stays with us") from error
    return f"Thank you! Receipt {receipt}"
