"""What `pointsman serve` runs. Nothing else imports it: it is half of what starting costs."""

import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType

import typer
import uvicorn
from sqlalchemy.engine import make_url

from service.app import create_app
from service.cli.base import MISUSE, misuse, talk
from service.logs import configure_logs, report_own_errors
from service.memory import collect_seldom, give_memory_back
from service.rules_git import masked
from service.runtime import Runtime
from service.settings import Settings, SettingsError
from service.settings_load import load_settings
from service.store.database import NOT_MIGRATED, reason
from service.traces import open_traces


def run(host: str | None, port: int | None, rules: str | None) -> None:
    """Serves until it is told to stop."""
    give_memory_back()
    collect_seldom()
    sys.setswitchinterval(0.001)  # while rules are read, an event's turn comes soon
    settings = _settings(host, port, rules)
    with _listen(settings) as listening:
        configure_logs(settings.log_level, settings.log_format)
        runtime = _open(settings)
        _greet(settings)
        signal.signal(signal.SIGHUP, lambda _signal, _frame: _begin(runtime.reload_rules))
        _Server(runtime).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Says "not ready" and claims nothing more as soon as it is told to stop."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        settings = runtime.settings
        super().__init__(
            uvicorn.Config(
                create_app(runtime),
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=settings.drain_seconds,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        _begin(self._runtime.drain)  # on a thread: a signal's handler must take no lock
        super().handle_exit(sig, frame)


def _settings(host: str | None, port: int | None, rules: str | None) -> Settings:
    given = {
        "POINTSMAN_HOST": host,
        "POINTSMAN_PORT": None if port is None else str(port),
        "POINTSMAN_RULES": rules,
    }
    environ = {**os.environ, **{name: value for name, value in given.items() if value is not None}}
    try:
        loaded = load_settings(environ)
        report_own_errors(loaded.settings)
    except SettingsError as error:
        misuse(str(error))
    for warning in loaded.warnings:
        talk.print(f"warning: {warning}", markup=False)
    _refuse_open_doors(loaded.settings)
    return loaded.settings


def _refuse_open_doors(settings: Settings) -> None:
    closed = settings.admin_token.get_secret_value() and settings.keys
    if settings.on_loopback or closed:
        return
    talk.print(
        f"{settings.host} is not loopback: refusing to serve without ingest keys and an admin "
        "token. Set both, for example:\n"
        f"  export POINTSMAN_INGEST_KEYS={secrets.token_hex(16)}:1\n"
        f"  export POINTSMAN_ADMIN_TOKEN={secrets.token_urlsafe(24)}",
        markup=False,
    )
    raise typer.Exit(MISUSE)


def _greet(settings: Settings) -> None:
    talk.print(f"Pointsman on {settings.base_url}", markup=False)
    talk.print(f"  DSN    {settings.dsn}", markup=False)
    repository = masked(settings.rules_repository.get_secret_value())
    talk.print(f"  rules  {settings.rules}{repository and f' of {repository}'}", markup=False)
    if not settings.admin_token.get_secret_value():
        talk.print("  open: no admin token is set; only this machine can reach it", markup=False)
    if not settings.keys:
        talk.print("  open: no ingest keys are set; any key in the DSN will do", markup=False)


def _open(settings: Settings) -> Runtime:
    """With its database brought up to date, or away. Exits with MISUSE where it cannot be."""
    try:
        runtime = Runtime(settings, traces=open_traces(os.environ))
        runtime.opening.open()  # a start would do so too, but with a traceback
    except NOT_MIGRATED as error:
        where = make_url(settings.database_url.get_secret_value()).database
        misuse(f"cannot open the database {where}: {reason(error)}")
    return runtime


def _listen(settings: Settings) -> socket.socket:
    """Before anything starts, so that a port in use is said at once. Exits with MISUSE."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # named: asyncio lets answers go at once only from what says that it is TCP, and two small
    # writes would else wait for the other end's delayed acknowledgement, 40 ms
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        misuse(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}")
    return listening


def _begin(work: Callable[[], object]) -> None:
    threading.Thread(target=work, name=getattr(work, "__name__", None), daemon=True).start()
