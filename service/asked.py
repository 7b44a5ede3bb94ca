"""What a request says that a person wants done to a group: its JSON body, read strictly.

ActError    it is none; holds the problem with its place
"""

import re
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from matchers.text import NAME
from service.acts import BY, ActError

_AT = re.compile(r"(?P<said>.*) - at `\$\.?(?P<place>[^`]*)`", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<place>[^`]*)`", re.DOTALL)


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    by: Annotated[str, Meta(min_length=1, max_length=BY)] = "api"


class Resolving(Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    release: Annotated[str, Meta(min_length=1, max_length=NAME)] | None = None
    newest_release: bool = False  # in the one of its project that was first seen last


class Ignoring(Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first that holds ends it. None set: it is ignored for ever."""

    until: Annotated[datetime, Meta(tz=True)] | None = None
    times: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    escalation: bool = False


class Assigning(Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    team: Annotated[str, Meta(max_length=NAME)] | None  # null, "": whoever the rules name


Asked = TypeVar("Asked", bound=Said)


def read_asked(body: bytes, kind: type[Asked]) -> Asked:
    """Nothing is an empty object. Raises ActError."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise ActError([_placed(str(error))]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ActError([("", "it is no JSON object")]) from None


def _placed(said: str) -> tuple[str, str]:
    if unknown := _UNKNOWN.match(said):
        return unknown["place"][:100], "there is no such field"
    found = _AT.fullmatch(said)
    return (found["place"], found["said"]) if found else ("", said[:500])


def _documented(kind: type[Said], *, required: bool = False) -> dict[str, Any]:
    (schema,), named = msgspec.json.schema_components([kind], ref_template="{name}")
    shown = named[schema["$ref"]]
    return {
        "requestBody": {"content": {"application/json": {"schema": shown}}, "required": required}
    }


RESOLVE, IGNORE, UNRESOLVE = (_documented(kind) for kind in (Resolving, Ignoring, Said))
ASSIGN = _documented(Assigning, required=True)
