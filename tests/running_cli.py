"""The command line as a user has it, but for the process."""

from typing import NamedTuple

from typer.testing import CliRunner

from service.cli import app


class Answer(NamedTuple):
    exit_code: int
    out: str
    talk: str


def pointsman(*words: object, given: str | bytes = "", env: dict[str, str] | None = None) -> Answer:
    result = CliRunner().invoke(app, list(map(str, words)), input=given, env=env)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)
