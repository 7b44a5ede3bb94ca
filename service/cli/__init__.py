"""The command line. stdout is the answer, stderr the talk; exit 0 fine, 1 findings, 2 misuse."""

from importlib import metadata
from typing import Annotated

import typer

from service.cli import (
    baseline,
    check,
    config,
    copy,
    coverage,
    deliveries,
    diff,
    digest,
    explain,
    generate,
    import_,
    migrate,
    replay,
    retry,
    send,
    serve,
    simulate,
    test,
    who,
)

app = typer.Typer(
    name="pointsman",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"pointsman {metadata.version('pointsman')}")
        raise typer.Exit


@app.callback()
def pointsman(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Which it is.")
    ] = False,
) -> None:
    """Whose error is it? Routes a monolith's errors to the team that owns the code."""


app.command("serve")(serve.serve)
app.command("check")(check.check)
app.command("test")(test.run_tests)
app.command("who")(who.who)
app.command("explain")(explain.explain)
app.command("coverage")(coverage.coverage)
app.command("diff")(diff.diff)
app.command("replay")(replay.replay)
app.command("config")(config.config)
app.command("baseline")(baseline.baseline)
app.command("migrate")(migrate.migrate)
app.command("copy")(copy.copy)
app.command("send")(send.send)
app.command("digest")(digest.digest)
app.command("deliveries")(deliveries.deliveries)
app.command("retry")(retry.retry)
app.command("simulate")(simulate.simulate)
app.add_typer(import_.app, name="import")
app.add_typer(generate.app, name="generate")


def main() -> None:
    app()
