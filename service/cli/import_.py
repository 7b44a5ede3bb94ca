"""`pointsman import`: a starting rules file from what another tool knows."""

from typing import Annotated

import typer

from matchers.importing.codeowners import import_codeowners
from matchers.importing.sentry import import_sentry
from matchers.importing.starting import Start
from matchers.sources.owner_lines import Dialect
from routers.alertmanager import import_alertmanager
from service.cli.base import FINDINGS, AsJson, answer_json, read_input, talk

app = typer.Typer(
    help="A starting rules file on stdout; on stderr what it could not say, with its place.",
    no_args_is_help=True,
)
File = Annotated[str, typer.Argument(metavar="FILE", help="`-` reads stdin.")]


@app.command("codeowners")
def codeowners(
    file: File,
    dialect: Annotated[
        Dialect, typer.Option("--dialect", help="Whose CODEOWNERS it is.")
    ] = "github",
    as_json: AsJson = False,
) -> None:
    """From a CODEOWNERS file: a team for each owner, a rule for each line."""
    _answer(import_codeowners(read_input(file), file, dialect), as_json=as_json)


@app.command("sentry")
def sentry(file: File, as_json: AsJson = False) -> None:
    """From the text of Sentry's ownership rules."""
    _answer(import_sentry(read_input(file), file), as_json=as_json)


@app.command("alertmanager")
def alertmanager(file: File, as_json: AsJson = False) -> None:
    """From an alertmanager.yml: teams, their receivers, channels. Secrets are not copied."""
    _answer(import_alertmanager(read_input(file), file), as_json=as_json)


def _answer(start: Start, *, as_json: bool) -> None:
    """Exits with FINDINGS where nothing of it could be said."""
    left_out = [f"{problem.origin}: {problem.message}" for problem in sorted(set(start.left_out))]
    if as_json:
        answer_json({"file": start.text(), "left_out": left_out})
    else:
        print(start.text(), end="")
        for said in left_out:
            talk.print(said, markup=False)
    if left_out and not (start.teams or start.rules or start.channels):
        raise typer.Exit(FINDINGS)
