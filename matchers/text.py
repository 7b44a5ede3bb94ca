"""Foreign text, cut and cleaned: what a database, a log line or a chat message would choke on.

The caps are characters. Sentry's own are of this size; it cuts stacks in the middle as well.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

Scalar = str | int | float | bool | None
T = TypeVar("T")

NAME = 500  # names of all kinds, and one line of source
MESSAGE = 8192
TRANSACTION = 2000  # also a URL
PATH = 5000  # matchers/paths.py says path_too_long past 4,096, so a longer one must arrive

UNPRINTABLE = re.compile("[\0\ud800-\udfff]")


def clean(value: object, cap: int = NAME) -> str | None:
    """Return a scalar as text; None where it says nothing: null, "", an object or a list."""
    if type(value) is not str:
        if value is None or not isinstance(value, Scalar):
            return None
        value = str(value)  # True is "True", as Sentry has it in tags
    if len(value) > cap:
        value = value[:cap]
    if not value.isascii() or "\0" in value:
        value = UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    return value or None


def cut_middle(items: Sequence[T], cap: int) -> Sequence[T]:
    """Return at most `cap` items, half from each end."""
    if len(items) <= cap:
        return items
    half = cap // 2
    return [*items[:half], *items[-half:]]
