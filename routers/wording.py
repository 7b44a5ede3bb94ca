"""A channel's own words: `title` and `body` beside its kind, as templates of plain facts.

    channels: {pager: {pagerduty: {…}, title: "{{ feature }}: {{ title }}"}}

A template that fails costs its words, never the alert: it is told as ever, with a warning.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import httpx
import msgspec

from matchers.event import Event
from matchers.sources.checker import Checker
from matchers.sources.document import Path
from routers.channels.base import Channel, Receipt
from routers.errors import WordingError
from routers.message import (
    BODY_LIMIT,
    HEADLINE_LIMIT,
    headline,
    links,
    moment,
    place,
    told_besides,
)
from routers.notification import Alert, Written

KEYS: dict[str, int] = {"title": HEADLINE_LIMIT, "body": BODY_LIMIT}  # what one may make at most
VALUE_LIMIT = 1_000  # characters of a fact
ITEMS = 20  # of a list
FACTS = (
    *("title", "headline", "team", "severity", "reason", "environment", "release", "project"),
    *("times_seen", "threshold", "merged", "first_seen", "last_seen", "culprit", "why"),
    *("where", "path", "function", "line", "source_line", "rule", "feature", "criticality"),
    *("owners", "exceptions", "tags", "links", "group", "event_id"),
)


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """Compiled templates (routers/jinja.py)."""

    title: Any = None
    body: Any = None

    def write(self, alert: Alert) -> Written:
        """Raises WordingError."""
        facts = facts_of(alert)
        return Written(
            title=self.title(facts) if self.title else "",
            body=self.body(facts) if self.body else "",
        )


def read_wording(written: Mapping[str, Any], path: Path, checker: Checker) -> Wording | None:
    """None: it has no templates, or only such as have problems."""
    compiled: dict[str, Any] = {}
    for key in KEYS.keys() & written.keys():
        text = written[key]
        if not isinstance(text, str) or not text.strip():
            checker.problem((*path, key), "expected a template: text that is not empty")
            continue
        # Jinja takes time to load, and few files have templates
        compile_template = import_module("routers.jinja").compile_template
        try:
            compiled[key] = compile_template(text, FACTS, KEYS[key])
        except ValueError as error:
            checker.problem((*path, key), str(error))
    return Wording(**compiled) if compiled else None


Tell = Callable[[Channel, Alert, Wording | None, httpx.Client], Receipt]


def tell(channel: Channel, alert: Alert, wording: Wording | None, client: httpx.Client) -> Receipt:
    """In the channel's own words, or as ever where those fail. Raises DeliveryError."""
    told, unworded = worded(alert, wording)
    receipt = channel.send(told, client)
    return msgspec.structs.replace(receipt, unworded=unworded) if unworded else receipt


def worded(alert: Alert, wording: Wording | None) -> tuple[Alert, str | None]:
    """In the channel's own words; where those fail as it was, and why.

    A digest, or a silence that ends, is no error to be worded.
    """
    if wording is None or alert.notification.reason == "digest":
        return alert, None
    try:
        written = wording.write(alert)
    except WordingError as error:
        return alert, str(error)
    return msgspec.structs.replace(alert, written=written), None


def facts_of(alert: Alert) -> dict[str, Any]:
    """What a template may name: texts, numbers, and short lists and mappings of them."""
    told, owned, where = alert.notification, alert.ownership, place(alert)
    frame, rule = owned.get("frame") or {}, owned.get("rule") or {}
    known: dict[str, Any] = {
        **{name: getattr(told, name) for name in FACTS if hasattr(told, name)},
        **{name: owned.get(name) for name in ("feature", "criticality", "owners")},
        "headline": headline(alert),
        "merged": told_besides(alert),
        "first_seen": moment(told.first_seen),
        "last_seen": moment(told.last_seen),
        "where": where.text,
        "source_line": where.line,
        **{name: frame.get(name) for name in ("path", "function")},
        "line": frame.get("lineno"),
        "rule": {name: rule.get(name) for name in ("file", "line", "text")},
        "exceptions": _exceptions(alert.event),
        "tags": alert.event.tags if alert.event else {},
        "links": {_LINKS.get(label, label.lower()): link for label, link in links(alert)},
    }
    return {name: _plain(known.get(name)) for name in FACTS}


_LINKS = {"Open in Pointsman": "page"}


def _exceptions(event: Event | None) -> list[dict[str, Any]]:
    """The thrown one first."""
    found = reversed(event.exceptions if event else ())
    return [{"type": one.type, "value": one.value, "module": one.module} for one in found]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        few = list(value.items())[:ITEMS]
        return {str(name)[:VALUE_LIMIT]: _plain(inner) for name, inner in few}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value[:ITEMS]]
    if value is None or isinstance(value, int):
        return "" if value is None else value
    return str(value)[:VALUE_LIMIT]
