"""`pointsman replay`: the stored events against other rules."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from routers.durations import parse_duration
from routers.message import one_line
from service.cli.base import (
    AsJson,
    Repository,
    RulesFile,
    answer_json,
    complain,
    counted,
    database_url,
    load,
    misuse,
    talk,
)

NOBODY = "(unowned)"


def replay(
    since: Annotated[str, typer.Option("--since", help="How far back: 30d, 12h.")] = "30d",
    rules: RulesFile = None,
    repo: Repository = None,
    examples: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many errors to show of each move.")
    ] = 3,
    as_json: AsJson = False,
) -> None:
    """Whose the stored events would be by other rules, and who would be told instead."""
    loaded = load(rules, repo)
    complain(loaded.problems)
    url, start = _database(), datetime.now(UTC) - _duration(since)
    try:
        # only here: what writes to a database would double what every other word costs to start
        replayed = import_module("service.replay").replay(url, loaded.rules, start, _shown)
    except (SQLAlchemyError, OSError) as error:
        misuse(f"the database cannot be read: {type(error).__name__}")
    if as_json:
        answer_json(_json(replayed, examples))
    else:
        _print(replayed, examples)
    moved = sum(groups.total() for groups in replayed.moved.values())
    talk.print(f"{moved} of {counted(replayed.events, 'event')} would be another's")


def _database() -> str:
    url = database_url()
    where = make_url(url)
    if where.drivername == "sqlite" and not Path(where.database or "").is_file():
        # opening would make one
        misuse(f"{where.database}: No such database; POINTSMAN_DATABASE_URL names another")
    return url


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        misuse(f"--since: {error}")


def _shown(past: Iterable[Any], total: int) -> Iterable[Any]:
    return track(
        past, "replaying", total, console=talk, transient=True, disable=not talk.is_terminal
    )


def _moves(replayed: Any) -> list[tuple[tuple[str | None, str | None], Counter[str]]]:
    """The largest first."""
    return sorted(replayed.moved.items(), key=lambda move: (-move[1].total(), str(move[0])))


def _print(replayed: Any, examples: int) -> None:
    for (before, after), groups in _moves(replayed):
        many = f"{counted(len(groups), 'error')}, {counted(groups.total(), 'event')}"
        print(f"{before or NOBODY} -> {after or NOBODY}: {many}")
        for group, times in groups.most_common(examples):
            print(f"  {times}  {one_line(replayed.titles[group])}")
    for team in sorted({*replayed.told, *replayed.would_tell}, key=str):
        was, would = replayed.told[team], replayed.would_tell[team]
        print(f"{team or NOBODY}: told of {was}, would be of {would}")


def _json(replayed: Any, examples: int) -> dict[str, Any]:
    teams = sorted({*replayed.told, *replayed.would_tell}, key=str)
    return {
        "events": replayed.events,
        "moved": [
            {
                "from": before,
                "to": after,
                "events": groups.total(),
                "errors": len(groups),
                "examples": [replayed.titles[one] for one, _ in groups.most_common(examples)],
            }
            for (before, after), groups in _moves(replayed)
        ],
        "told": [
            {"team": team, "was": replayed.told[team], "would_be": replayed.would_tell[team]}
            for team in teams
        ],
    }
