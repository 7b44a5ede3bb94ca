"""`pointsman coverage`: of a repository's files, what is owned, by whom, and what is not."""

import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from matchers.coverage import Coverage, Owned, cover
from matchers.ownership import rule_json
from service.cli.base import FINDINGS, AsJson, RulesFile, answer_json, complain, load, misuse, talk
from service.repository import RepositoryError, read_files

UNOWNED = "(unowned)"
ON_PURPOSE = "(unowned on purpose)"


def coverage(
    repo: Annotated[
        Path, typer.Option("--repo", help="A checkout, or a file that lists its paths.")
    ] = Path(),
    rules: RulesFile = None,
    fail_under: Annotated[
        float | None, typer.Option(metavar="N", help="Exit with 1 below N percent.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What is owned, by directory and team; what is not; rules that do nothing."""
    loaded = load(rules)
    complain(loaded.problems)
    try:
        files = read_files(repo)
    except RepositoryError as error:
        misuse(str(error))
    found = cover(sorted(files.paths), loaded.rules.ruleset)
    if as_json:
        answer_json(_json(found))
    else:
        _print(found)
    if fail_under is not None and found.share < fail_under:
        talk.print(f"{found.share:.1f} % is under {fail_under:g} %")
        raise typer.Exit(FINDINGS)


def _json(found: Coverage) -> dict[str, Any]:
    return {
        "files": len(found.files),
        "owned": found.owned,
        "unowned_on_purpose": found.on_purpose,
        "percent": round(found.share, 2),
        "teams": dict(Counter(_owner(one) for one in found.files).most_common()),
        "directories": {
            folder: dict(owners.most_common()) for folder, owners in _by_folder(found).items()
        },
        "unowned": [one.path for one in found.files if one.rule is None],
        "dead_rules": [rule_json(rule) for rule in found.dead],
        "shadowed_rules": [
            {"rule": rule_json(one.rule), "by": rule_json(one.by), "files": one.files}
            for one in found.shadowed
        ],
    }


def _print(found: Coverage) -> None:
    width = None if os.isatty(1) else 200
    console = Console(highlight=False, soft_wrap=True, markup=False, width=width)
    table = Table("directory", "files", "owners", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for folder, owners in _by_folder(found).items():
        said = ", ".join(f"{owner} {count}" for owner, count in owners.most_common())
        table.add_row(folder, f"{owners.total()}", said)
    console.print(table)
    for rule in found.dead:
        console.print(f"{rule.origin}: matches no file: {rule.text}")
    for one in found.shadowed:
        console.print(
            f"{one.rule.origin}: matches {one.files} and wins none: {one.rule.text}"
            f" — beaten by {one.by.origin}  {one.by.text}"
        )
    on_purpose = f", {found.on_purpose} unowned on purpose" if found.on_purpose else ""
    console.print(
        f"{found.owned} of {len(found.files)} files are owned{on_purpose}: {found.share:.1f} %"
    )


def _by_folder(found: Coverage) -> dict[str, Counter[str]]:
    """Owners and how many files, by the first two directories."""
    folders: dict[str, Counter[str]] = {}
    for one in found.files:
        folder = "/".join(one.path.split("/")[:-1][:2])
        folders.setdefault(f"{folder}/" if folder else "(root)", Counter())[_owner(one)] += 1
    return folders


def _owner(one: Owned) -> str:
    if one.rule is None:
        return UNOWNED
    return one.rule.owners[0] if one.rule.owners else ON_PURPOSE
