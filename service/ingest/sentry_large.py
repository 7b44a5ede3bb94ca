"""A Sentry event past a mebibyte: what ownership needs of it, in bounded memory and time.

An SDK would throw it away if it were refused, so it is read, without its contexts: only the fields
below are looked at, of long lists only the ends, of long texts only the beginning. What is read
comes out as the object that sentry_repair mends.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from service.ingest.json_members import Text, fields, members
from service.ingest.json_parts import (
    HEAD,
    NAME_HEAD,
    ends,
    is_list,
    loaded,
    parts_of,
    read_large,
    value,
)
from service.ingest.limits import EXCEPTIONS, FINGERPRINT, FRAMES, MORE, TAGS
from service.ingest.sentry_repair import SCALARS, mended_frame

NO_OTHERS: Mapping[str, str] = {}
_FRAME = (
    *("filename", "abs_path", "module", "function", "lineno", "colno", "in_app"),
    "context_line",
)
_EXCEPTION = ("type", "value", "module", "mechanism", "stacktrace")
_THREAD = ("crashed", "current", "stacktrace")
_LISTS = ("tags", "fingerprint", "exception", "threads", "stacktrace")
_INSIDE = {"request": ("url",), "contexts": ("trace",), "logentry": ("formatted", "message")}


def load_large(data: Text) -> Mapping[str, object]:
    """Raises InvalidEventError: malformed_json, not_an_object."""
    return read_large(data, read_event)


def read_event(text: Text, former: Mapping[str, str] = NO_OTHERS) -> dict[str, object]:
    """As a reader of json_parts. former: other names of fields. Raises msgspec.MsgspecError."""
    told = fields(text, *SCALARS, "message", *_INSIDE, *_LISTS, *former)
    return _wanted({former.get(name, name): one for name, one in told.items()})


def ending(text: Text, cap: int) -> Any:
    """The last `cap` bytes, or so, of a text in JSON, decoded; None where it is no text."""
    if len(text) <= cap:
        return loaded(bytes(text))
    end = bytes(memoryview(text)[-cap:])
    cut = (loaded(b'"' + end[start:]) for start in range(7))
    return next((one for one in cut if one is not None), None)


def _wanted(told: Mapping[str, Text]) -> dict[str, object]:
    return {
        **{name: value(told[name]) for name in (*SCALARS, "message") if name in told},
        **{name: _values(told.get(name), *inside) for name, inside in _INSIDE.items()},
        "message": _message(told.get("message")),
        "tags": _tags(told.get("tags")),
        "fingerprint": [value(part) for part in islice(_of(told, "fingerprint"), FINGERPRINT)],
        "exception": [
            _exception(one) for one in ends(_listed(told, "exception"), EXCEPTIONS + MORE)
        ],
        "threads": [_thread(one) for one in ends(_listed(told, "threads"), EXCEPTIONS)],
        "stacktrace": _stack(told.get("stacktrace")),
    }


def _exception(text: Text) -> dict[str, object]:
    told = parts_of(text, *_EXCEPTION)
    plain = {name: value(told[name]) for name in _EXCEPTION[:-1] if name in told}
    return plain | {"stacktrace": _stack(told.get("stacktrace"))}


def _thread(text: Text) -> dict[str, object]:
    told = parts_of(text, *_THREAD)
    return _values(text, *_THREAD[:-1]) | {"stacktrace": _stack(told.get("stacktrace"))}


def _stack(text: Text | None) -> list[dict[str, object]]:
    """A stack is `{"frames": […]}`, but a bare list of frames is understood."""
    if text is None:
        return []
    frames = text if is_list(text) else parts_of(text, "frames").get("frames", b"")
    return [
        mended_frame(_values(one, *_FRAME, cap=NAME_HEAD))
        for one in ends(members(frames), FRAMES + MORE)
    ]


def _message(text: Text | None) -> object:
    if text is None:
        return None
    return _values(text, *_INSIDE["logentry"]) or value(text)


def _tags(text: Text | None) -> object:
    if text is None:
        return None
    some = islice(members(text), TAGS + MORE)
    if is_list(text):
        return [value(one) for one in some]
    pairs = (value(b"{%s}" % bytes(one)) for one in some if len(one) < HEAD)
    return {name: tag for pair in pairs if isinstance(pair, dict) for name, tag in pair.items()}


def _listed(told: Mapping[str, Text], name: str) -> Iterator[Text]:
    """The members of `{"values": […]}`, of a bare list, or the one that stands alone."""
    text = told.get(name, b"")
    values = parts_of(text, "values").get("values")
    if values is None and not is_list(text):
        return iter((text,))
    return iter(members(text if values is None else values))


def _of(told: Mapping[str, Text], name: str) -> Iterator[Text]:
    text = told.get(name, b"")
    return iter(members(text)) if is_list(text) else iter((text,))


def _values(text: Text | None, *names: str, cap: int = HEAD) -> dict[str, object]:
    told = parts_of(text, *names) if text is not None else {}
    return {name: value(one, cap) for name, one in told.items()}
