"""Try again before giving up: the database has its moods."""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

TIMES = 3
T = TypeVar("T")


def retry(call: Callable[..., T], *values: object) -> T:
    """What the call returns. Raises what it raised the last time."""
    for _ in range(TIMES - 1):
        try:
            return call(*values)
        except sqlite3.OperationalError:
            continue
    return call(*values)
