"""A Sentry event that does not fit its shapes, made to fit: only the bad members are lost.

What brings an event here: nulls in lists, numbers as strings, invalid UTF-8, lone surrogates,
NaN, raw control characters, a message where a list should be. It costs about five times the
straight way, so nothing that a current SDK sends should need it.
"""

import json
from collections.abc import Mapping
from itertools import islice

from matchers.event import Frame
from matchers.text import NAME, PATH, Scalar, clean, cut_middle
from service.ingest.base import InvalidEventError
from service.ingest.limits import FRAMES, MORE, TAGS

LARGEST = 2**31 - 1  # no file has more lines; a database column may be no wider
DIGITS = 4300  # past this Python refuses to read an integer
_PAIRS = 10 * TAGS  # among which the tags are looked for that say anything
FLAGS = {"true": True, "1": True, "false": False, "0": False}
SCALARS = (
    *("event_id", "timestamp", "platform", "level", "logger"),
    *("transaction", "release", "environment", "server_name"),
)


def load_json(data: bytes) -> object:
    """Decode leniently. Raises InvalidEventError (malformed_json), its place `line:column`."""
    try:
        return json.loads(
            data.decode("utf-8-sig", "replace"), strict=False, parse_int=_parse_integer
        )
    except json.JSONDecodeError as error:
        place = f"{error.lineno}:{error.colno}"
        raise InvalidEventError("malformed_json", error.msg, place) from None
    except RecursionError:
        raise InvalidEventError("malformed_json", "nested too deeply") from None


def load_object(data: bytes) -> Mapping[str, object]:
    """Raises InvalidEventError (malformed_json, not_an_object)."""
    tree = load_json(data)
    if not isinstance(tree, dict):
        raise InvalidEventError("not_an_object", "an event is a JSON object")
    return tree


def mend(tree: Mapping[str, object]) -> dict[str, object]:
    """Return what of `tree` fits SentryEvent; converting it cannot fail."""
    message = tree.get("message")
    return {
        **{name: scalar(tree.get(name)) for name in SCALARS},
        "message": _message(message) or scalar(message),
        "logentry": _message(tree.get("logentry")),
        "tags": _tags(tree.get("tags")),
        "fingerprint": _fingerprint(tree.get("fingerprint")),
        "request": {"url": scalar(_object(tree.get("request")).get("url"))},
        "contexts": {"trace": _trace(_object(tree.get("contexts")).get("trace"))},
        "exception": [_exception(member) for member in _members(tree.get("exception"))],
        "threads": [_thread(member) for member in _members(tree.get("threads"))],
        "stacktrace": _stack(tree.get("stacktrace")),
    }


def scalar(value: object) -> Scalar:
    return value if isinstance(value, Scalar) else None


def whole(value: object) -> int | None:
    """Return a line or column number; None where `value` is none."""
    try:
        number = int(value) if isinstance(value, str | int | float) else -1
    except (ValueError, OverflowError):  # not a number, NaN, infinity
        return None
    return number if 0 <= number <= LARGEST else None


def mended_frame(frame: Mapping[str, object]) -> dict[str, object]:
    return {
        "filename": clean(frame.get("filename"), PATH),
        "abs_path": clean(frame.get("abs_path"), PATH),
        "module": clean(frame.get("module"), NAME),
        "function": clean(frame.get("function"), NAME),
        "lineno": whole(frame.get("lineno")) or None,
        "colno": whole(frame.get("colno")),
        "in_app": _flag(frame.get("in_app")),
        "context_line": clean(frame.get("context_line"), NAME),
    }


def fits(frame: Frame) -> bool:
    """Is a decoded frame fine as it is? Asked of every frame on the straight way."""
    filename, path, module = frame.filename, frame.abs_path, frame.module
    function, line = frame.function, frame.context_line
    return (
        (filename is None or len(filename) <= PATH)
        and (path is None or len(path) <= PATH)
        and (module is None or len(module) <= NAME)
        and (function is None or len(function) <= NAME)
        and (line is None or len(line) <= NAME)
        and (frame.lineno is None or 0 < frame.lineno <= LARGEST)
        and (frame.colno is None or 0 <= frame.colno <= LARGEST)
    )


def _parse_integer(digits: str) -> int | None:
    return int(digits) if len(digits) < DIGITS else None


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _members(field: object) -> list[Mapping[str, object]]:
    """The objects in `{"values": […]}`, in a bare list, or the one that stands alone."""
    if isinstance(field, dict):
        field = field.get("values", field)
    if isinstance(field, dict):
        field = [field]
    members = field if isinstance(field, list) else []
    return [member for member in members if isinstance(member, dict)]


def _message(value: object) -> dict[str, object] | None:
    if not isinstance(value, dict):
        return None
    return {name: scalar(value.get(name)) for name in ("formatted", "message")}


def _tags(value: object) -> list[list[Scalar]]:
    if isinstance(value, dict):
        return [[name, scalar(text)] for name, text in islice(value.items(), _PAIRS)]
    pairs = value[:_PAIRS] if isinstance(value, list) else []
    return [[scalar(member) for member in _pair(pair)] for pair in pairs]


def _pair(value: object) -> list[object]:
    if isinstance(value, dict):  # {"key": …, "value": …}, as Sentry's API writes tags
        return [value.get("key"), value.get("value")]
    return value if isinstance(value, list) else []


def _fingerprint(value: object) -> list[Scalar]:
    return [scalar(part) for part in (value if isinstance(value, list) else [value])]


def _trace(value: object) -> dict[str, object]:
    return {"trace_id": scalar(_object(value).get("trace_id"))}


def _exception(value: Mapping[str, object]) -> dict[str, object]:
    mechanism = _object(value.get("mechanism"))
    return {
        **{name: scalar(value.get(name)) for name in ("type", "value", "module")},
        "mechanism": {
            "handled": _flag(mechanism.get("handled")),
            "source": scalar(mechanism.get("source")),
            "exception_id": whole(mechanism.get("exception_id")),
            "parent_id": whole(mechanism.get("parent_id")),
        },
        "stacktrace": _stack(value.get("stacktrace")),
    }


def _thread(value: Mapping[str, object]) -> dict[str, object]:
    return {
        "crashed": _flag(value.get("crashed")),
        "current": _flag(value.get("current")),
        "stacktrace": _stack(value.get("stacktrace")),
    }


def _stack(value: object) -> dict[str, object]:
    """A stack is `{"frames": […]}`, but a bare list of frames is understood."""
    frames = value if isinstance(value, list) else _object(value).get("frames")
    members = frames if isinstance(frames, list) else []
    stack = [member for member in members if isinstance(member, dict)]
    return {"frames": [mended_frame(member) for member in cut_middle(stack, FRAMES + MORE)]}


def _flag(value: object) -> bool | None:
    return FLAGS.get(str(value).lower())
