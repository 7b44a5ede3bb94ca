"""What is wanted of a large JSON text, built from its parts; the rest of it never becomes objects.

    reader = parts(level=plain, frames=listed(parts(file=name, line=name), 1000))
    reader(b'{"level": "error", "frames": [{"file": "a.py", "vars": {…}}], "extra": {…}}')

A text is strict JSON here; `strict` makes it so, in place, of what senders get wrong.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

import msgspec

from matchers.text import Scalar, clean
from service.ingest.base import InvalidEventError
from service.ingest.json_members import Text, fields, members
from service.ingest.limits import EVENT, KIB, PIECE
from service.ingest.sentry_repair import load_object

HEAD = 128 * KIB  # bytes read of one value: a message of 8,192 characters, however escaped
NAME_HEAD = 8 * KIB  # of what is short by nature
PATH_HEAD = 2 * KIB  # the same, where there may be thousands of it
MENDED = 100_000  # words or halves that are mended; no sender gets more of them wrong
FEW = 100  # members of what is read whole
_BOM = b"\xef\xbb\xbf"
_CONTROLS = bytes.maketrans(bytes(range(32)), b" " * 32)
_NO_JSON = re.compile(rb'"(?:[^"\\]++|\\.)*+"|(-?Infinity|NaN)', re.DOTALL)
# half of a pair by itself, as JavaScript writes a text that was cut; what is in order comes first
_LONE = re.compile(rb"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)", re.DOTALL)
_WRONG = re.compile(rb"NaN|Infinity|\\u[dD][89a-fA-F]")
_CURABLE = re.compile(rb"\A\xef\xbb\xbf|[\x00-\x1f]|NaN|Infinity|\\u[dD][89a-fA-F]")
Reader = Callable[[Text], Any]
T = TypeVar("T")


def load_parts(data: Text, reader: Reader) -> Mapping[str, object]:
    """All of what is small; of what is not, what the reader wants.

    Raises InvalidEventError: malformed_json, not_an_object.
    """
    return load_object(bytes(data)) if len(data) <= EVENT else read_large(data, reader)


def read_large(data: Text, reader: Callable[[Text], T]) -> T:
    """Raises InvalidEventError: malformed_json, not_an_object."""
    try:
        return reader(_checked(data))
    except msgspec.ValidationError:
        raise InvalidEventError("not_an_object", "an event is a JSON object") from None
    except msgspec.DecodeError as error:
        raise InvalidEventError("malformed_json", str(error)) from None
    except RecursionError:
        raise InvalidEventError("malformed_json", "nested too deeply") from None


def _checked(data: Text) -> Text:
    try:
        fields(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if not _CURABLE.search(data) or next(islice(_WRONG.finditer(data), MENDED, None), None):
            raise
        mended = memoryview(strict(data))
        fields(mended)
        return mended
    return data


def strict(data: Text) -> bytearray:
    """Without control characters, NaN, infinities, halves of surrogate pairs: each as long."""
    mended = bytearray(data)
    if mended.startswith(_BOM):
        mended[: len(_BOM)] = b"   "
    for start in range(0, len(mended), PIECE):  # in place, since a copy is as large again
        mended[start : start + PIECE] = mended[start : start + PIECE].translate(_CONTROLS)
    if b"NaN" in mended or b"Infinity" in mended:
        for found in _NO_JSON.finditer(mended):
            if found[1]:
                mended[found.start() : found.end()] = b'""'.ljust(len(found[0]))
    return whole_pairs(mended)


def whole_pairs(text: bytearray) -> bytearray:
    """The same text, without halves of surrogate pairs."""
    if b"\\ud" in text or b"\\uD" in text:
        for found in _LONE.finditer(text):
            if found[1]:
                text[found.start() : found.end()] = rb"\ufffd"
    return text


def parts(**readers: Reader) -> Reader:
    """Of an object its fields by these names; an empty one of whatever is no object."""
    names = tuple(readers)
    return lambda text: {name: readers[name](one) for name, one in parts_of(text, *names).items()}


def listed(reader: Reader, cap: int) -> Reader:
    """The ends of a list."""
    return lambda text: [reader(one) for one in ends(members(text), cap)] if is_list(text) else []


def plain(text: Text) -> Scalar:
    """A text, a number or a flag; of a long text its beginning."""
    found = value(text)
    return found if isinstance(found, Scalar) else None


def name(text: Text) -> Scalar:
    """The same, of what is short by nature."""
    found = value(text, PATH_HEAD)
    return found if isinstance(found, Scalar) else None


def few(text: Text) -> object:
    """A small object or list of plain values, or one such value."""
    found = value(text, NAME_HEAD)
    if isinstance(found, dict):
        return {key: clean(one) for key, one in islice(found.items(), FEW)}
    if isinstance(found, list):
        return [clean(one) for one in found[:FEW]]
    return found


def parts_of(text: Text, *names: str) -> Mapping[str, Text]:
    try:
        return fields(text, *names)
    except msgspec.MsgspecError:  # no object
        return {}


def value(text: Text, cap: int = HEAD) -> Any:
    """Decoded; of a long text its beginning, None for whatever else is long."""
    head = bytes(memoryview(text)[:cap])
    if len(text) <= cap:
        return loaded(head)
    if not head.lstrip().startswith(b'"'):
        return None
    cut = (loaded(head[:end] + b'"') for end in range(cap, cap - 7, -1))  # not within an escape
    return next((one for one in cut if one is not None), None)


def loaded(text: bytes) -> Any:
    try:
        return json.loads(text.decode(errors="replace"), strict=False)
    except (ValueError, RecursionError):
        return None


def is_list(text: Text) -> bool:
    return bytes(memoryview(text)[:64]).lstrip().startswith(b"[")


def ends(items: Iterable[T], cap: int) -> list[T]:
    """As cut_middle does, of what is not a list yet."""
    items = iter(items)
    return [*islice(items, cap // 2), *deque(items, cap - cap // 2)]
