"""What was found before, within so many bytes: emptied when it is full."""

from collections.abc import Hashable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
_ENTRY = 200  # bytes, about, of an entry besides its text


class Memo(dict[Key, Value]):
    """A dict that is asked as any other."""

    def __init__(self, room: int) -> None:
        """room: bytes, about."""
        super().__init__()
        self._room = self._left = room

    def remember(self, key: Key, value: Value, size: int) -> Value:
        """size: bytes, about, that the key and the value hold of their own. What is large is not
        kept: it would push out much, and is not likely to come again."""
        size += _ENTRY
        if size * 100 <= self._room:
            self._left -= size
            if self._left < 0:
                self.clear()
                self._left = self._room - size
            self[key] = value
        return value
