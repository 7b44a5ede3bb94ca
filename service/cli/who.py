"""`pointsman who PATH…`: who owns these paths."""

import sys
from typing import Annotated

import typer

from matchers.lookup import Lookup, look_up, lookup_json
from matchers.text import UNPRINTABLE
from service.cli.base import AsJson, Repository, RulesFile, answer_json, complain, load
from service.explain import receivers_shown


def who(
    paths: Annotated[list[str], typer.Argument(help="Paths; `-` reads them from stdin.")],
    rules: RulesFile = None,
    repo: Repository = None,
    as_json: AsJson = False,
) -> None:
    """Who owns these paths, as `path  owners`."""
    loaded = load(rules, repo)
    complain(loaded.problems)
    asked = [
        UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", line)
        for path in paths
        for line in (_stdin() if path == "-" else [path])
    ]
    found = [look_up(path, loaded.rules.ruleset) for path in asked]
    if as_json:
        answer_json(
            [
                lookup_json(one, receivers_shown(one.owners[0], loaded.rules) if one.owners else ())
                for one in found
            ]
        )
        return
    width = max(map(len, asked), default=0)
    for one in found:
        print(f"{one.path:<{width}}  {_said(one)}")


def _stdin() -> list[str]:
    return [line.strip() for line in sys.stdin if line.strip()]


def _said(found: Lookup) -> str:
    if found.owners:
        return " ".join(found.owners)
    return f"(unowned on purpose: {found.rule.origin})" if found.rule else "(unowned)"
