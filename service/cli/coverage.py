"""`pointsman coverage`: of a repository's files, what is owned, by whom, and what is not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from matchers.coverage import Coverage, Owned, cover
from matchers.ownership import rule_json
from matchers.required import Directory, directories
from service.cli.base import (
    FINDINGS,
    AsJson,
    RulesFile,
    answer_json,
    complain,
    files_of,
    load,
    talk,
)

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
    require: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB", help="Exit with 1 where a directory that fits has not just one owner."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What is owned, by directory and team; what is not; rules that do nothing."""
    loaded = load(rules)
    complain(loaded.problems)
    files = files_of(repo)
    found = cover(sorted(files.paths), loaded.rules.ruleset)
    asked = {glob: directories(found, glob) for glob in require or []}
    failed = [one for those in asked.values() for one in those if not one.has_one_owner]
    if as_json:
        answer_json(_json(found, failed))
    else:
        _print(found, failed)
    if _said(found, asked, fail_under):
        raise typer.Exit(FINDINGS)


def _said(
    found: Coverage, asked: Mapping[str, Sequence[Directory]], fail_under: float | None
) -> bool:
    """Says what was asked for and does not hold."""
    said = []
    if fail_under is not None and found.share < fail_under:
        said.append(f"{found.share:.1f} % is under {fail_under:g} %")
    for glob, those in asked.items():
        failed = sum(1 for one in those if not one.has_one_owner)
        if not those:
            said.append(f"{glob}: fits no directory")
        elif failed:
            said.append(f"{glob}: {failed} of {len(those)} directories have not just one owner")
    for line in said:
        talk.print(line, markup=False)
    return bool(said)


def _json(found: Coverage, failed: Sequence[Directory]) -> dict[str, Any]:
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
        "required": [
            {"directory": one.path, "owners": {owner or UNOWNED: n for owner, n in _counts(one)}}
            for one in failed
        ],
    }


def _print(found: Coverage, failed: Sequence[Directory]) -> None:
    rows = [("directory", "files", "owners")]
    for name, owners in _by_folder(found).items():
        said = ", ".join(f"{owner} {count}" for owner, count in owners.most_common())
        rows.append((name, f"{owners.total()}", said))
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    for name, files, said in rows:
        print(f"{name:<{first}}   {files:<{second}}   {said}")
    for rule in found.dead:
        print(f"{rule.origin}: matches no file: {rule.text}")
    for one in found.shadowed:
        print(
            f"{one.rule.origin}: matches {one.files} and wins none: {one.rule.text}"
            f" — beaten by {one.by.origin}  {one.by.text}"
        )
    for folder in failed:
        print(f"{folder.path}: {_not_one(folder)}")
    on_purpose = f", {found.on_purpose} unowned on purpose" if found.on_purpose else ""
    print(f"{found.owned} of {len(found.files)} files are owned{on_purpose}: {found.share:.1f} %")


def _not_one(one: Directory) -> str:
    owners = ", ".join(f"{owner or UNOWNED} {count}" for owner, count in _counts(one))
    teams = len(one.owners.keys() - {None})
    return f"{teams} {'owner' if teams == 1 else 'owners'}: {owners}" if teams else "no owner"


def _counts(one: Directory) -> list[tuple[str | None, int]]:
    return one.owners.most_common()


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
