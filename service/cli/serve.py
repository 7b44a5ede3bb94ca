"""`pointsman serve`: runs the service."""

from importlib import import_module
from typing import Annotated

import typer

from service.cli.base import RulesFile


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    rules: RulesFile = None,
) -> None:
    """Run the service. SIGHUP reads the rules again; SIGTERM finishes what is in flight."""
    # only here: a web server and a database would double what every other word costs to start
    server = import_module("service.cli.server")
    server.run(host, port, str(rules) if rules else None)
