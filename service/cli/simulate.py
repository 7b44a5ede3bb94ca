"""`pointsman simulate`: a vendor's server as far as an alert meets it, to rehearse with."""

import signal
from enum import Enum
from pathlib import PurePosixPath
from threading import Event
from typing import Annotated

import httpx
import msgspec
import typer

from routers.message import one_line
from service.cli.base import AsJson, misuse, talk
from service.simulators.faults import Fault, parse_fault
from service.simulators.server import Simulated, now, served
from service.simulators.vendors import VENDORS, Vendor, readable

PORT = 9100
WIDTH = 160  # characters of a line
LINES = 12  # of a message

Word = Enum("Word", {name: name for name in VENDORS}, type=str)  # type: ignore[misc]


def simulate(
    vendor: Annotated[Word, typer.Argument(help="Whose server.")],
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on, on loopback.")
    ] = PORT,
    fault: Annotated[
        str,
        typer.Option(
            help="429, 500, 410, …, hang or lost, and how long from the first request: 429:2m."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """A vendor's server with its real limits; prints each message that it is sent. Ends with ^C."""
    chosen, rehearsed = VENDORS[vendor.value], _fault(fault)
    stopped = Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    show = _show_json if as_json else _show
    simulated = Simulated(chosen, lambda *told: show(chosen, *told), rehearsed)
    try:
        with served(simulated, port) as url:
            talk.print(f"{vendor.value} on {url}. Point a channel at it:", markup=False)
            settings = chosen.channel.format(url=url)
            talk.print(f"  rehearsal: {{{settings}}}", markup=False, soft_wrap=True)
            talk.print("and let the service reach it: POINTSMAN_ALLOW_PRIVATE_DESTINATIONS=true")
            stopped.wait()
    except OSError as error:
        misuse(f"cannot listen on 127.0.0.1:{port}: {error.strerror}")


def _fault(text: str) -> Fault | None:
    try:
        return parse_fault(text) if text else None
    except ValueError as error:
        misuse(f"--fault: {error}")


def _show(vendor: Vendor, path: str, body: bytes, answered: httpx.Response | None) -> None:
    print(f"{now():%H:%M:%S} {_status(answered)} {one_line(_shown(path))}")
    for line in readable(vendor, body)[:LINES]:
        print(f"    {one_line(line)[:WIDTH]}")
    print(flush=True)


def _show_json(vendor: Vendor, path: str, body: bytes, answered: httpx.Response | None) -> None:
    told = {
        "at": now(),
        "status": answered.status_code if answered else None,
        "path": _shown(path),
        "told": readable(vendor, body),
    }
    print(msgspec.json.encode(told).decode(), flush=True)


def _status(answered: httpx.Response | None) -> str:
    return "no answer" if answered is None else f"{answered.status_code} {answered.reason_phrase}"


def _shown(path: str) -> str:
    """Without what may be a secret: the path's last part, and any query."""
    return str(PurePosixPath(path.partition("?")[0]).parent)
