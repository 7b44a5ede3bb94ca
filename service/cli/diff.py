"""`pointsman diff A B`: which files change owner between two versions of the rules."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from matchers.difference import Change, Owners, differ
from matchers.sources.base import TreeError
from routers.rules import Loaded, load_rules
from service.cli.base import (
    FINDINGS,
    AsJson,
    answer_json,
    complain,
    files_of,
    load,
    misuse,
    rules_path,
    talk,
)
from service.tree import GitTree

_OF_GIT = "git:"
NOBODY = "(unowned)"
_HELP = "A rules file, or git:REVISION, or git:REVISION:PATH."


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=_HELP)],
    after: Annotated[str, typer.Argument(metavar="B", help=_HELP)],
    repo: Annotated[
        Path, typer.Option("--repo", help="A checkout, or a file that lists its paths.")
    ] = Path(),
    examples: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many paths to show of each change.")
    ] = 3,
    fail_on_change: Annotated[
        bool, typer.Option("--fail-on-change", help="Exit with 1 where a file changes owner.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Which files, and how many, change owner between two versions of the rules, by team."""
    paths = sorted(files_of(repo).paths)
    old, new = (_version(name, repo) for name in (before, after))
    changes = differ(paths, old.rules.ruleset, new.rules.ruleset)
    if as_json:
        answer_json(_json(changes, len(paths), examples))
    else:
        _print(changes, examples)
    changed = sum(len(change.paths) for change in changes)
    talk.print(f"{changed} of {len(paths)} files change owner")
    if fail_on_change and changes:
        raise typer.Exit(FINDINGS)


def _version(name: str, repo: Path) -> Loaded:
    """Exits with MISUSE where there is no such version; its problems are said."""
    loaded = _of_git(name, repo) if name.startswith(_OF_GIT) else load(Path(name))
    complain(loaded.problems)
    return loaded


def _of_git(name: str, repo: Path) -> Loaded:
    revision, _, path = name.removeprefix(_OF_GIT).partition(":")
    path = path or str(rules_path())
    if not revision or revision.startswith("-"):
        misuse(f"{name}: no revision of git")
    try:
        tree = GitTree(repo if repo.is_dir() else Path(), revision)
        there = tree.read(path) is not None
    except TreeError as error:
        misuse(f"{name}: {error}")
    if not there:
        misuse(f"{_OF_GIT}{revision}:{path}: No such file")
    before = f"{_OF_GIT}{revision}:"
    return load_rules(tree, path, os.environ, shown=lambda one: before + one)


def _json(changes: list[Change], files: int, examples: int) -> dict[str, Any]:
    return {
        "files": files,
        "changed": sum(len(change.paths) for change in changes),
        "changes": [
            {
                "from": list(change.before),
                "to": list(change.after),
                "files": len(change.paths),
                "examples": list(change.paths[:examples]),
            }
            for change in changes
        ],
    }


def _print(changes: list[Change], examples: int) -> None:
    for change in changes:
        count = len(change.paths)
        files = "1 file" if count == 1 else f"{count} files"
        print(f"{_shown(change.before)} -> {_shown(change.after)}: {files}")
        for path in change.paths[:examples]:
            print(f"  {path}")
        if examples and count > examples:
            print(f"  … {count - examples} more")


def _shown(owners: Owners) -> str:
    return ", ".join(owners) or NOBODY
