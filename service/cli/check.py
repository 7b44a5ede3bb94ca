"""`pointsman check`: every problem in the rules; with a repository, what they do to its files."""

from collections import Counter
from typing import Annotated

import typer

from service.cli.base import FINDINGS, AsJson, Repository, RulesFile, answer_json, load, talk
from service.cli.findings import AsFormat, Format, chosen, finding_json, print_findings
from service.findings import ERRORS, Finding, in_repository, problems, unset_secrets


def check(
    rules: RulesFile = None,
    repo: Repository = None,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Ask too whether every secret is set here.")
    ] = False,
    restrict: Annotated[
        bool,
        typer.Option("--restrict-team-files", help="A team file may assign to its own team only."),
    ] = False,
    form: AsFormat = Format.TEXT,
    as_json: AsJson = False,
) -> None:
    """Every problem in the rules; with --repo also dead, shadowed and contested rules, and teams
    without receivers. Exits with 1 where there is any."""
    loaded = load(rules, repo, restrict=restrict)
    found = problems(loaded)
    if secrets:
        found += unset_secrets(loaded)
    if repo is not None:
        found += in_repository(loaded)
    form = chosen(form, as_json=as_json)
    if form is Format.JSON:
        _answer(found)
    else:
        print_findings(found, form)
    if found:
        talk.print(_counted(found))
        raise typer.Exit(FINDINGS)
    ruleset = loaded.rules.ruleset
    talk.print(f"{len(ruleset.rules)} rules, {len(loaded.rules.teams)} teams: no problem")


def _answer(found: list[Finding]) -> None:
    """What is wrong with the file itself, what is not set here, what the repository shows."""
    shown = [(one.kind, finding_json(one)) for one in found]
    answer_json(
        {
            "problems": [_without_kind(one) for kind, one in shown if kind == "problem"],
            "unset": [one["message"] for kind, one in shown if kind == "unset_secret"],
            "findings": [one for kind, one in shown if kind not in ERRORS],
        }
    )


def _without_kind(shown: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in shown.items() if name != "kind"}


def _counted(found: list[Finding]) -> str:
    counts = Counter("problem" if one.kind in ERRORS else "finding" for one in found)
    return ", ".join(
        f"{count} {noun}" if count == 1 else f"{count} {noun}s" for noun, count in counts.items()
    )
