"""`pointsman explain FILE|-`: whose error this is, and the whole way there."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from matchers.event import Event, title
from service.cli.base import (
    FINDINGS,
    AsJson,
    Repository,
    RulesFile,
    answer_json,
    complain,
    load,
    misuse,
    read_input,
    talk,
)
from service.explain import explain as explained
from service.ingest import native, sentry_envelope
from service.ingest.base import InvalidEventError, Parsed, Request

_COLOURS = {"owned": "green", "transparent": "cyan", "unowned": "yellow"}


def explain(
    source: Annotated[str, typer.Argument(metavar="FILE|-", help="An event or a traceback.")],
    rules: RulesFile = None,
    repo: Repository = None,
    expect: Annotated[
        str | None, typer.Option(metavar="TEAM", help="Exit with 1 where it is another's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Whose error this is, and why: every frame that was looked at, every step passed over."""
    loaded = load(rules, repo)
    complain(loaded.problems)
    event = _event(read_input(source), source)
    decided = explained(event, loaded.rules)
    if as_json:
        answer_json(decided)
    else:
        _print(event, decided)
    owner = decided["owners"][0] if decided["owners"] else None
    expected = loaded.rules.ruleset.names.get(expect, expect) if expect else None
    if expect and owner != expected:
        talk.print(f"expected {expect}, got {owner or 'nobody'}", markup=False)
        raise typer.Exit(FINDINGS)


def _event(raw: bytes, source: str) -> Event:
    """JSON, an envelope, or the text of a traceback, whatever it looks like."""
    looks_like_json = raw.lstrip()[:1] in (b"{", b"[")
    content_type = "application/json" if looks_like_json else "text/plain"
    request = Request(content_type=content_type, project="1", received_at=datetime.now(UTC))
    try:
        events = _parse(raw, request).events
    except InvalidEventError as error:
        misuse(f"{source}: {error}")
    if len(events) != 1:
        misuse(f"{source}: holds {len(events)} events; explain takes one")
    return events[0]


def _parse(raw: bytes, request: Request) -> Parsed:
    try:
        return native.parse(raw, request)
    except InvalidEventError:
        if b"\n" not in raw.strip() or request.content_type != "application/json":
            raise
    return sentry_envelope.parse(raw, request)


def _print(event: Event, decided: dict[str, Any]) -> None:
    width = None if os.isatty(1) else 200
    console = Console(highlight=False, soft_wrap=True, width=width)
    console.print(Text(title(event), style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    for step in decided["steps"]:
        if step["step"] in ("explicit", "override"):
            table.add_row(f"({step['step']})", Text("passed over", style="dim"), step["reason"])
    for walked in decided["trail"]:
        table.add_row(*_walked(walked))
    for step in decided["steps"]:
        if step["step"] not in ("explicit", "override"):
            table.add_row(f"({step['step']})", Text("passed over", style="dim"), step["reason"])
    console.print(table)
    for warned in decided["warnings"]:
        console.print(f"warning {warned['code']}: {warned['message']}", markup=False)
    console.print(Text(_conclusion(decided), style="bold green" if decided["owners"] else "bold"))


def _walked(walked: dict[str, Any]) -> Iterator[Text]:
    frame, rule = walked["frame"], walked["rule"]
    place = f"{frame['path'] or '(no path)'}" + (f":{frame['lineno']}" if frame["lineno"] else "")
    yield Text(f"{place} in {frame['function']}" if frame["function"] else place)
    if rule is None:
        yield Text("passed over", style="dim")
        yield Text(walked["verdict"], style="dim")
        return
    said = " ".join(rule["owners"]) or "nobody"
    shared = " (transparent: passed on)" if walked["verdict"] == "transparent" else ""
    yield Text(said, style=_COLOURS.get(walked["verdict"], ""))
    beat = "".join(f"\n  beats {_rule(lost)}" for lost in walked["beaten"])
    yield Text(f"{_rule(rule)}{shared}{beat}")


def _rule(rule: dict[str, Any]) -> str:
    return f"{rule['file']}:{rule['line']}  {rule['text']}"


def _conclusion(decided: dict[str, Any]) -> str:
    parts = [" ".join(decided["owners"]) or "nobody", f"step {decided['step']}"]
    if decided["rule"]:
        parts.append(_rule(decided["rule"]))
    if decided["receivers"]:
        parts.append("told through " + ", ".join(decided["receivers"]))
    return "→ " + " · ".join(parts)
