"""What a JSON array or object holds, member by member, without reading any of it.

A decoder makes an object of every `{}`: three bytes become a hundred. Text that may be large is
cut into its members first, so that only those that are kept are ever decoded. One pass, no copy.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

import msgspec

TOKENS = 2_000_000  # looked at in one text: half a second. Real events of 20 MiB have half of it
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},]', re.DOTALL)
_BLANK = re.compile(rb"\s*")
_OPEN, _CLOSE, _COMMA = b"[{", b"]}", ord(",")
Text = bytes | memoryview


def members(text: Text) -> Iterator[memoryview]:
    """Of an array its members, of an object its `"key": value` pairs; of all else nothing.

    text: valid JSON. What stands behind TOKENS is not found.
    """
    view, depth, start = memoryview(text), 0, 0
    for token in islice(_TOKEN.finditer(view), TOKENS):
        at = token.start()
        mark = view[at]
        if mark in _OPEN:
            depth += 1
            if depth == 1:
                start = at + 1
        elif mark == _COMMA and depth == 1:
            yield view[start:at]
            start = at + 1
        elif mark in _CLOSE:
            depth -= 1
            if depth == 0 and not _BLANK.fullmatch(view, start, at):
                yield view[start:at]


def first(text: Text, count: int) -> list[msgspec.Raw]:
    """The first members of an array; what follows is checked and not kept.

    Raises msgspec.MsgspecError, RecursionError.
    """
    found = msgspec.structs.astuple(msgspec.json.decode(text, type=_array(count)))
    return [one for one in found if one is not msgspec.UNSET]


def fields(text: Text, *names: str) -> dict[str, msgspec.Raw]:
    """These of an object's fields, undecoded. Raises msgspec.MsgspecError, RecursionError."""
    found = msgspec.structs.astuple(msgspec.json.decode(text, type=_object(names)))
    return {name: one for name, one in zip(names, found, strict=True) if one is not msgspec.UNSET}


@cache
def _array(count: int) -> type[msgspec.Struct]:
    return msgspec.defstruct("First", [_raw(f"m{n}") for n in range(count)], array_like=True)


@cache
def _object(names: tuple[str, ...]) -> type[msgspec.Struct]:
    renamed = {f"m{n}": name for n, name in enumerate(names)}  # "class" is no name of Python's
    return msgspec.defstruct("Fields", [_raw(name) for name in renamed], rename=renamed)


def _raw(name: str) -> tuple[str, Any, Any]:
    return name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET
