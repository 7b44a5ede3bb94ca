"""On which shelf a hat lies."""

from examples.monolith.shop.shared import db
from examples.monolith.shop.shared.retry import retry

SHELF_OF = "SELECT shelf FROM hats_by_name WHERE name = ?"


def find(hat: str) -> str:
    rows = retry(db.query, SHELF_OF, hat)
    return f"shelf {rows[0][0]}" if rows else "we are out of it"
