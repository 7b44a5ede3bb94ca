"""Lists by pages: `limit` of them, and a cursor to what follows.

CursorError    the cursor is none of ours
"""

import base64
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

Moment = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]  # what a column can hold


class Page(msgspec.Struct, frozen=True):
    items: Sequence[Any]
    next: str | None  # an opaque cursor; None: this is the last page


class CursorError(Exception):
    """The cursor is none of ours."""


def page(items: list[Any], limit: int, key: Any) -> Page:
    """Of one item more than the limit, if there is one. key: what a cursor holds of an item."""
    more = len(items) > limit
    items = items[:limit]
    return Page(items, _encode(key(items[-1])) if more else None)


def decode(cursor: str, shape: Any) -> Any:
    """Raises CursorError."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=shape)
    except (ValueError, msgspec.MsgspecError):
        raise CursorError("the cursor is none of ours") from None


def _encode(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")
