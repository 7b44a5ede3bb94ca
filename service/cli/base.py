"""What the words of the command line share."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from rich.console import Console

from matchers.errors import Problem
from matchers.files import RepositoryFiles
from routers.rules import Loaded, load_rules
from service.repository import RepositoryError, read_files
from service.settings import SettingsError
from service.settings_load import load_settings
from service.tree import around

FINDINGS = 1
MISUSE = 2

RulesFile = Annotated[
    Path | None,
    typer.Option("--rules", help="The rules file. Default: POINTSMAN_RULES, ownership_rules.yaml."),
]
Repository = Annotated[
    Path | None,
    typer.Option("--repo", help="A checkout, or a file that lists the repository's paths."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

talk = Console(stderr=True, highlight=False, soft_wrap=True)


def load(path: Path | None, repository: Path | None = None, *, restrict: bool = False) -> Loaded:
    """The rules as the service would read them. Exits with MISUSE where there is no file.

    restrict: a team file may not assign to another team than its own.
    """
    files = files_of(repository) if repository else None
    file = path or rules_path()
    if not file.is_file():
        misuse(f"{file}: {'it is no regular file' if file.exists() else 'No such file'}")
    tree, name, shown = around(file)
    return load_rules(
        tree, name, os.environ, shown=shown, files=files, restrict_team_files=restrict
    )


def files_of(repository: Path) -> RepositoryFiles:
    """Exits with MISUSE where they cannot be read."""
    try:
        return read_files(repository)
    except RepositoryError as error:
        misuse(str(error))


def rules_path() -> Path:
    try:
        return load_settings(os.environ).settings.rules
    except SettingsError as error:
        misuse(str(error))


def database_url() -> str:
    try:
        return load_settings(os.environ).settings.database_url.get_secret_value()
    except SettingsError as error:
        misuse(str(error))


def complain(problems: tuple[Problem, ...]) -> None:
    """On stderr, one line each: the answer is given with what loads."""
    for problem in problems:
        talk.print(str(problem), markup=False)


def answer_json(value: Any) -> None:
    print(msgspec.json.format(msgspec.json.encode(value)).decode())


def read_input(name: str) -> bytes:
    """`-` is stdin. Exits with MISUSE where there is no such file."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        misuse(f"{name}: {error.strerror}")


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def misuse(said: str) -> NoReturn:
    talk.print(said, markup=False)
    raise typer.Exit(MISUSE)
