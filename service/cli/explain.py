"""`pointsman explain FILE|-`: whose error this is, and the whole way there."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from matchers.errors import did_you_mean
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
from service.ingest import (
    airbrake,
    bugsnag,
    honeybadger,
    native,
    rollbar,
    sentry_envelope,
    sentry_store,
)
from service.ingest.base import InvalidEventError, Parsed, Request
from service.scrub import scrub

_COLOURS = {"owned": "", "transparent": "cyan", "unowned": "yellow", "not_in_app": "dim"}
_BEFORE_FRAMES = ("explicit", "override")
# Each refuses the others' bodies, but: a Honeybadger notice may have a URL, as a Sentry event may;
# a Sentry event may have `errors`, as an Airbrake notice has; any object is an envelope's header.
_OF_JSON = (
    rollbar.parse,
    bugsnag.parse,
    honeybadger.parse,
    native.parse,
    airbrake.parse,
    sentry_envelope.parse,
)
_OF_TEXT = (native.parse, sentry_store.parse)


def explain(
    source: Annotated[str, typer.Argument(metavar="FILE|-", help="An event or a traceback.")],
    rules: RulesFile = None,
    repo: Repository = None,
    expect: Annotated[
        str | None, typer.Option(metavar="TEAM", help="Exit with 1 where it is another's.")
    ] = None,
    why_not: Annotated[
        str | None, typer.Option(metavar="TEAM", help="Which rule would have made it TEAM's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Whose error this is, and why: every frame that was looked at, every step passed over."""
    loaded = load(rules, repo)
    complain(loaded.problems)
    event = _event(read_input(source), source)
    names = loaded.rules.ruleset.names
    if why_not is not None and why_not not in names:
        misuse(f'unknown team "{why_not}"{did_you_mean(why_not, names)}')
    decided = explained(event, loaded.rules, names[why_not] if why_not else None)
    if as_json:
        answer_json(decided)
    else:
        _print(event, decided)
    owner = decided["owners"][0] if decided["owners"] else None
    expected = names.get(expect, expect) if expect else None
    if expect and owner != expected:
        talk.print(f"expected {expect}, got {owner or 'nobody'}", markup=False)
        raise typer.Exit(FINDINGS)


def _event(raw: bytes, source: str) -> Event:
    try:
        events = _parse(raw).events
    except InvalidEventError as error:
        misuse(f"{source}: {error}")
    if len(events) != 1:
        misuse(f"{source}: holds {len(events)} events; explain takes one")
    return events[0]


def _parse(raw: bytes) -> Parsed:
    """An event in any door's form, an envelope, the text of a traceback: whatever it looks like."""
    looks_like_json = raw.lstrip()[:1] in (b"{", b"[")
    now = datetime.now(UTC)
    kind = "application/json" if looks_like_json else "text/plain"
    request = Request(content_type=kind, project="1", received_at=now)
    tries = [(parse, request) for parse in (_OF_JSON if looks_like_json else _OF_TEXT)]
    if looks_like_json:  # or a log's line that begins with a bracket
        tries.append((native.parse, msgspec.structs.replace(request, content_type="text/plain")))
    refused: dict[object, InvalidEventError] = {}
    for parse, request in tries:
        try:
            return parse(raw, request)
        except InvalidEventError as error:
            refused.setdefault(parse, error)
    raise refused[native.parse]


def _print(event: Event, decided: dict[str, Any]) -> None:
    width = None if os.isatty(1) else 200
    console = Console(highlight=False, soft_wrap=True, markup=False, width=width)
    console.print(Text(scrub(title(event)), style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    before = [step for step in decided["steps"] if step["step"] in _BEFORE_FRAMES]
    for step in before:
        table.add_row(*_passed_over(step))
    for asked in decided["frames"]:
        table.add_row(*_asked(asked))
    for step in decided["steps"][len(before) :]:
        table.add_row(*_passed_over(step))
    console.print(table)
    for warned in decided["warnings"]:
        console.print(f"warning {warned['code']}: {warned['message']}")
    console.print(Text(_conclusion(decided), style="bold green" if decided["owners"] else "bold"))
    if "why_not" in decided:
        for line in _why_not(decided["why_not"]):
            console.print(line)


def _passed_over(step: dict[str, Any]) -> tuple[str, Text, str]:
    return f"({step['step']})", Text("passed over", style="dim"), step["reason"]


def _asked(asked: dict[str, Any]) -> Iterator[Text]:
    """The frame, whose it would be, and by which rule; then why it decided, or did not."""
    frame, rule = asked["frame"], asked["rule"]
    place = f"{frame['path'] or '(no path)'}" + (f":{frame['lineno']}" if frame["lineno"] else "")
    style = "bold green" if asked["decided"] else ""
    yield Text(f"{place} in {frame['function']}" if frame["function"] else place, style=style)
    if rule is None:
        yield Text("passed over", style="dim")
        yield Text(f"{asked['verdict']}: {asked['why']}", style="dim")
        return
    yield Text(" ".join(rule["owners"]) or "nobody", style=style or _COLOURS[asked["verdict"]])
    beaten = "".join(f"\n  beats {_rule(lost)}" for lost in asked["beaten"])
    yield Text(f"{_rule(rule)}  ← {asked['why']}{beaten}")


def _rule(rule: dict[str, Any]) -> str:
    return f"{rule['file']}:{rule['line']}  {rule['text']}"


def _conclusion(decided: dict[str, Any]) -> str:
    parts = [" ".join(decided["owners"]) or "nobody", f"step {decided['step']}"]
    if decided["rule"]:
        parts.append(_rule(decided["rule"]))
    if decided["receivers"]:
        parts.append("told through " + ", ".join(decided["receivers"]))
    return "→ " + " · ".join(parts)


def _why_not(why: dict[str, Any]) -> Iterator[str]:
    team, proposal = why["team"], why["proposal"]
    if why["owner"] == team:
        yield f"it is {team}'s already"
        return
    for lost in why["lost"]:
        yield f"{team} lost {lost['path']}: {_rule(lost['rule'])} ({lost['why']})"
    if proposal is None:
        yield f"no one rule would make it {team}'s"
    elif proposal["section"] == "tags":
        yield f"the event names its owner, so no rule is asked; its tag: {proposal['entry']}"
    else:
        where = f"after {proposal['after']}" if proposal["after"] else "which is empty now"
        yield f"it would be {team}'s by this as the last of `{proposal['section']}:`, {where}:"
        yield f"  {proposal['entry']}"
