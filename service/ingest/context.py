"""What of an event's context the rules file makes visible: every adapter's `visible_of`.

    visible_of({"extra": {"order": {"id": 7}}}, request.visible)  →  {"extra.order.id": "7"}

Sentry's words for it: https://develop.sentry.dev/sdk/data-model/event-payloads/
Where nothing is visible nothing is looked at, so an adapter asks `if request.visible` before it
decodes what it would not need otherwise.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from matchers.text import MESSAGE, NAME, clean
from matchers.visible import LONGEST, WORDS, Visible

VALUES = 100  # kept of an event
LOOKED_AT = 10_000  # values of each word
DEPTH = 10


def visible_of(tree: Mapping[str, Any], visible: Visible) -> dict[str, str]:
    """Dotted name → text, of what is visible; at most VALUES, each of NAME characters.

    tree: in Sentry's words, each absent where the format has no such thing: `extra`, `user`,
    `contexts`, `vars` and `request` (`method`, `headers`, `cookies`, `query` or `query_string`,
    `data`) are mappings, `breadcrumbs` a list. Headers may be pairs; a query or cookies, text.
    """
    found: dict[str, str] = {}
    for word in WORDS:
        if word == "tags" or not visible.looks_into(word):
            continue
        value = _READ.get(word, _as_it_is)(tree.get(word))
        for raw, leaf in islice(_leaves(word, value, DEPTH), LOOKED_AT):
            if len(found) == VALUES:
                return found
            name = clean(raw, LONGEST) or word
            if visible.shows(name) and (text := clean(leaf, NAME)):
                found[name] = text
    return found


def vars_of(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of a Sentry event's in-app frames; of each name the one nearest the raise.

    Of a chain the root cause's come first, as in deciding whose it is.
    """
    found: dict[str, Any] = {}
    for error in (tree, *reversed(_members(tree.get("exception")))):
        stack = error.get("stacktrace")
        for frame in _members(stack.get("frames") if isinstance(stack, dict) else stack):
            if frame.get("in_app") is not False and isinstance(frame.get("vars"), dict):
                found |= frame["vars"]  # the nearer the later
    return found


def _leaves(name: str, value: object, depth: int) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        members: Iterator[tuple[object, object]] = iter(value.items())
    elif isinstance(value, list):
        members = enumerate(value)
    else:
        yield name, value
        return
    if depth:
        for key, member in members:
            longer = f"{name}.{str(key)[:LONGEST]}"
            if len(longer) <= LONGEST:
                yield from _leaves(longer, member, depth - 1)


def _as_it_is(value: object) -> object:
    return value


def _request(value: object) -> object:
    if not isinstance(value, Mapping):
        return None
    query = value.get("query", value.get("query_string"))
    return {
        **{key: member for key, member in value.items() if key not in ("query", "query_string")},
        "headers": _mapping(value.get("headers")),
        "cookies": _mapping(value.get("cookies"), ";"),
        "query": _mapping(query, "&"),
    }


def _mapping(value: object, between: str | None = None) -> object:
    """Pairs, or a text of them, as a mapping."""
    if isinstance(value, str) and between:
        pairs = parse_qsl(value[:MESSAGE].lstrip("?"), separator=between)
        return {name.strip(): member for name, member in pairs}
    if isinstance(value, list):
        listed = (pair for pair in value if isinstance(pair, list) and len(pair) == 2)
        return {str(name): member for name, member in listed}
    return value if isinstance(value, Mapping) else None


def _breadcrumbs(value: object) -> object:
    return value.get("values") if isinstance(value, Mapping) else value


def _members(value: object) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        value = value.get("values", [value])
    members = value if isinstance(value, list) else []
    return [member for member in members if isinstance(member, dict)]


_READ = {"request": _request, "breadcrumbs": _breadcrumbs}
