"""`pointsman check`: every problem in the rules."""

from typing import Annotated

import typer

from matchers.errors import Problem
from routers.configured import Unconfigured
from routers.rules import Loaded
from service.cli.base import FINDINGS, AsJson, RulesFile, answer_json, load, talk


def check(
    rules: RulesFile = None,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Ask too whether every secret is set here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Every problem in the rules file, with its place. Exits with 1 where there is one."""
    loaded = load(rules)
    unset = _unset(loaded) if secrets else []
    if as_json:
        answer_json({"problems": [_json(problem) for problem in loaded.problems], "unset": unset})
    else:
        for problem in loaded.problems:
            print(problem)
        for said in unset:
            print(said)
    findings = len(loaded.problems) + len(unset)
    ruleset = loaded.rules.ruleset
    if findings:
        talk.print(f"{findings} {'problem' if findings == 1 else 'problems'}")
        raise typer.Exit(FINDINGS)
    talk.print(f"{len(ruleset.rules)} rules, {len(loaded.rules.teams)} teams: no problem")


def _unset(loaded: Loaded) -> list[str]:
    return [
        f'channel "{name}": {channel.reason}'
        for name, channel in loaded.rules.channels.items()
        if isinstance(channel, Unconfigured)
    ]


def _json(problem: Problem) -> dict[str, str | int]:
    origin = problem.origin
    return {
        "file": origin.file,
        "line": origin.line,
        "column": origin.column,
        "message": problem.message,
    }
