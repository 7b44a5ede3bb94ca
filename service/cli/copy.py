"""`pointsman copy`: all that a SQLite database holds, to PostgreSQL."""

from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, Any

import typer
from rich.progress import track

from service.cli.base import AsJson, answer_json, counted, database_url, misuse, talk


def copy(
    to: Annotated[str, typer.Option("--to", help="postgresql+psycopg://user@host/database")],
    as_json: AsJson = False,
) -> None:
    """Copy POINTSMAN_DATABASE_URL, a SQLite file that no service has open, to an empty PostgreSQL.

    All of it or nothing. The file stays as it is.
    """
    # only here: a database would double what every other word costs to start
    copying = import_module("service.store.copy")
    try:
        copied: dict[str, int] = copying.copy(database_url(), to, _shown)
    except copying.TROUBLE as error:
        misuse(f"nothing was copied: {copying.reason(error)}")
    if as_json:
        answer_json({"copied": copied})
        return
    for table, rows in copied.items():
        print(f"{table}  {rows}")
    talk.print(f"{counted(sum(copied.values()), 'row')}, and the books balance")


def _shown(rows: Iterable[Any], table: str, total: int) -> Iterable[Any]:
    return track(rows, table, total, console=talk, transient=True, disable=not talk.is_terminal)
