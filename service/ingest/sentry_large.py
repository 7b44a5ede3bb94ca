"""A Sentry event past a mebibyte: what ownership needs of it, in bounded memory and time.

An SDK would throw it away if it were refused, so it is read, without its contexts: only the fields
below are looked at, of long lists only the ends, of long texts only the beginning. What is read
comes out as the object that sentry_repair mends. It has to be strict JSON.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

import msgspec

from service.ingest.base import InvalidEventError
from service.ingest.json_members import Text, fields, members
from service.ingest.limits import EXCEPTIONS, FINGERPRINT, FRAMES, KIB, MORE, TAGS
from service.ingest.sentry_repair import SCALARS, mended_frame

HEAD = 128 * KIB  # bytes read of one value: a message of 8,192 characters, however escaped
FRAME_HEAD = 8 * KIB  # of one value of a frame
_FRAME = (
    *("filename", "abs_path", "module", "function", "lineno", "colno", "in_app"),
    "context_line",
)
_EXCEPTION = ("type", "value", "module", "mechanism", "stacktrace")
_THREAD = ("crashed", "current", "stacktrace")
_LISTS = ("tags", "fingerprint", "exception", "threads", "stacktrace")
_INSIDE = {"request": ("url",), "contexts": ("trace",), "logentry": ("formatted", "message")}
T = TypeVar("T")


def load_large(data: Text) -> Mapping[str, object]:
    """Raises InvalidEventError: malformed_json, not_an_object."""
    try:
        return _wanted(fields(data, *SCALARS, "message", *_INSIDE, *_LISTS))
    except msgspec.ValidationError:
        raise InvalidEventError("not_an_object", "an event is a JSON object") from None
    except msgspec.DecodeError as error:
        raise InvalidEventError("malformed_json", str(error)) from None
    except RecursionError:
        raise InvalidEventError("malformed_json", "nested too deeply") from None


def ending(text: Text, cap: int) -> Any:
    """The last `cap` bytes, or so, of a text in JSON, decoded; None where it is no text."""
    if len(text) <= cap:
        return _loaded(bytes(text))
    end = bytes(memoryview(text)[-cap:])
    cut = (_loaded(b'"' + end[start:]) for start in range(7))
    return next((one for one in cut if one is not None), None)


def _wanted(told: Mapping[str, Text]) -> dict[str, object]:
    return {
        **{name: _value(told[name]) for name in (*SCALARS, "message") if name in told},
        **{name: _values(told.get(name), *inside) for name, inside in _INSIDE.items()},
        "message": _message(told.get("message")),
        "tags": _tags(told.get("tags")),
        "fingerprint": [_value(part) for part in islice(_of(told, "fingerprint"), FINGERPRINT)],
        "exception": [
            _exception(one) for one in _ends(_listed(told, "exception"), EXCEPTIONS + MORE)
        ],
        "threads": [_thread(one) for one in _ends(_listed(told, "threads"), EXCEPTIONS)],
        "stacktrace": _stack(told.get("stacktrace")),
    }


def _exception(text: Text) -> dict[str, object]:
    told = _fields(text, *_EXCEPTION)
    plain = {name: _value(told[name]) for name in _EXCEPTION[:-1] if name in told}
    return plain | {"stacktrace": _stack(told.get("stacktrace"))}


def _thread(text: Text) -> dict[str, object]:
    told = _fields(text, *_THREAD)
    return _values(text, *_THREAD[:-1]) | {"stacktrace": _stack(told.get("stacktrace"))}


def _stack(text: Text | None) -> list[dict[str, object]]:
    """A stack is `{"frames": […]}`, but a bare list of frames is understood."""
    if text is None:
        return []
    frames = text if _is_list(text) else _fields(text, "frames").get("frames", b"")
    return [
        mended_frame(_values(one, *_FRAME, cap=FRAME_HEAD))
        for one in _ends(members(frames), FRAMES + MORE)
    ]


def _message(text: Text | None) -> object:
    if text is None:
        return None
    return _values(text, *_INSIDE["logentry"]) or _value(text)


def _tags(text: Text | None) -> object:
    if text is None:
        return None
    some = islice(members(text), TAGS + MORE)
    if _is_list(text):
        return [_value(one) for one in some]
    pairs = (_value(b"{%s}" % bytes(one)) for one in some if len(one) < HEAD)
    return {name: tag for pair in pairs if isinstance(pair, dict) for name, tag in pair.items()}


def _listed(told: Mapping[str, Text], name: str) -> Iterator[Text]:
    """The members of `{"values": […]}`, of a bare list, or the one that stands alone."""
    text = told.get(name, b"")
    values = _fields(text, "values").get("values")
    if values is None and not _is_list(text):
        return iter((text,))
    return iter(members(text if values is None else values))


def _of(told: Mapping[str, Text], name: str) -> Iterator[Text]:
    text = told.get(name, b"")
    return iter(members(text)) if _is_list(text) else iter((text,))


def _ends(items: Iterable[T], cap: int) -> list[T]:
    """As cut_middle does, of what is not a list yet."""
    items = iter(items)
    return [*islice(items, cap // 2), *deque(items, cap - cap // 2)]


def _values(text: Text | None, *names: str, cap: int = HEAD) -> dict[str, object]:
    told = _fields(text, *names) if text is not None else {}
    return {name: _value(one, cap) for name, one in told.items()}


def _fields(text: Text, *names: str) -> Mapping[str, Text]:
    try:
        return fields(text, *names)
    except msgspec.MsgspecError:  # no object
        return {}


def _value(text: Text, cap: int = HEAD) -> Any:
    """Decoded; of a long text its beginning, None for whatever else is long."""
    head = bytes(memoryview(text)[:cap])
    if len(text) <= cap:
        return _loaded(head)
    if not head.lstrip().startswith(b'"'):
        return None
    cut = (_loaded(head[:end] + b'"') for end in range(cap, cap - 7, -1))  # not within an escape
    return next((one for one in cut if one is not None), None)


def _loaded(text: bytes) -> Any:
    try:
        return json.loads(text.decode(errors="replace"), strict=False)
    except (ValueError, RecursionError):
        return None


def _is_list(text: Text) -> bool:
    return bytes(memoryview(text)[:64]).lstrip().startswith(b"[")
