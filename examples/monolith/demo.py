"""`make demo`: a real service, a real monolith, five errors, and whether each found its team.

Exits with 1 when one did not. Needs nothing but this machine.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE = 15.0  # seconds for the service to start, and for the alerts to go out
OUR_SETTINGS = ("POINTSMAN_", "PORT", "HOST", "LOG_LEVEL", "SENTRY_DSN")


class Expected(NamedTuple):
    error: str
    team: str
    step: str
    place: str  # in the shop, of the frame that decides; "" when there is no stack
    lesson: str


EXPECTED = (
    Expected("KeyError: 'Atlantis'", "payments", "frame", "billing/tax.py", "nearest the raise"),
    Expected(
        "CheckoutError: the bowler stays with us",
        "payments",
        "frame",
        "billing/cards.py",
        "web threw it, this is its cause",
    ),
    Expected(
        "OperationalError: no such table: hats_by_name",
        "search",
        "frame",
        "search/shelves.py",
        "shared code is passed over",
    ),
    Expected(
        "JSONDecodeError: Unterminated string starting at: line 1 column 12 (char 11)",
        "web",
        "frame",
        "web/basket.py",
        "what is not ours is passed over",
    ),
    Expected("the bank sent no statement for Monday", "payments", "fallback", "", "no stack"),
)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))  # through `finally`
    with TemporaryDirectory() as name:
        console = Path(name) / "console.txt"
        with a_service(Path(name), console) as url:
            refuse_broken_rules(url)
            print(
                f"The service is up at {url}. Five things go wrong in the hat shop:\n", flush=True
            )
            visit_the_shop(url)
            wait_until_told(url)
            groups = read_groups(url)
            books = read(url, "/api/v1/accounting")
        print(f"\nThe teams are told, on the console:\n\n{console.read_text(encoding='utf-8')}")
    show(groups, books)
    wrong = list(differences(groups, books))
    for difference in wrong:
        print(f"✗ {difference}")
    return 1 if wrong else 0


@contextmanager
def a_service(folder: Path, console: Path) -> Iterator[str]:
    """Its URL. It is stopped whatever happens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}", folder / "service.log"
    settings = {
        "POINTSMAN_RULES": "ownership_rules.yaml",
        "POINTSMAN_DATABASE_URL": f"sqlite:///{folder / 'demo.db'}",
        "POINTSMAN_LOG_LEVEL": "warning",
        "PYTHONIOENCODING": "utf-8",  # the console here is a file
    }
    command = [sys.executable, "-m", "service.cli", "serve", "--port", str(port)]
    with (
        log.open("w") as stderr,
        console.open("w") as stdout,
        subprocess.Popen(
            command, cwd=ROOT, env=clean() | settings, stdout=stdout, stderr=stderr
        ) as service,
    ):
        try:
            wait_until_ready(service, url, log)
            yield url
        finally:
            service.terminate()
            try:
                service.wait(10)
            except subprocess.TimeoutExpired:
                service.kill()


def refuse_broken_rules(url: str) -> None:
    """The service itself goes on, and keeps what comes in until the file is mended."""
    if problems := read(url, "/api/v1/rules")["problems"]:
        sys.exit("\n".join("{file}:{line}: {message}".format_map(one) for one in problems))


def visit_the_shop(url: str) -> None:
    dsn = url.replace("://", "://any@") + "/1"
    command = [sys.executable, "-m", "examples.monolith"]
    subprocess.run(
        command, cwd=ROOT, env=clean() | {"SENTRY_DSN": dsn}, check=True, stderr=subprocess.DEVNULL
    )


def clean() -> dict[str, str]:
    """Our environment, without what would set up a service."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OUR_SETTINGS)}


def wait_until_ready(service: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while service.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    sys.exit(f"The service did not start:\n{log.read_text()}")


def wait_until_told(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if read(url, "/api/v1/accounting")["deliveries"]["delivered"] >= len(EXPECTED):
            return
        time.sleep(0.05)


def read_groups(url: str) -> dict[str, Any]:
    """Title → the group as the API shows it, with its decision and what was told."""
    newest = read(url, "/api/v1/groups")["groups"]
    return {group["title"]: read(url, f"/api/v1/groups/{group['id']}") for group in newest}


def read(url: str, path: str) -> Any:
    return httpx.get(url + path, trust_env=False).raise_for_status().json()


def differences(groups: dict[str, Any], books: dict[str, Any]) -> Iterator[str]:
    for title in groups.keys() - {expected.error for expected in EXPECTED}:
        yield f"{title}: nobody expected it"
    for expected in EXPECTED:
        group = groups.get(expected.error)
        if group is None:
            yield f"{expected.error}: did not arrive"
        elif not is_right(group, expected):
            yield f"{expected.error}: expected {expected.team}, told once, by {expected.step}"
    if (books["accepted"], books["unaccounted"]) != (len(EXPECTED), 0):
        yield f"the books: {books}"


def is_right(group: dict[str, Any], expected: Expected) -> bool:
    decision = group["ownership"]
    place = decision["frame"]["path"] if decision["frame"] else ""
    told = [
        (delivery["notification"]["team"], delivery["state"]) for delivery in group["deliveries"]
    ]
    return (
        decision["owners"] == [expected.team]
        and decision["step"] == expected.step
        and place.removeprefix("examples/monolith/shop/") == expected.place
        and told == [(expected.team, "delivered")]
    )


def show(groups: dict[str, Any], books: dict[str, Any]) -> None:
    rows = [("error", "team", "why", "expected")]
    for expected in EXPECTED:
        group = groups.get(expected.error)
        if group is not None:
            mark = "✓" if is_right(group, expected) else f"✗ {expected.team}"
            told = group["team"] or "nobody"
            rows.append((shortened(expected.error), told, reason(group, expected), mark))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    accepted, told = books["accepted"], books["deliveries"]["delivered"]
    unaccounted = books["unaccounted"]
    print(f"\n{accepted} errors accepted, {told} alerts delivered, {unaccounted} unaccounted.")


def reason(group: dict[str, Any], expected: Expected) -> str:
    frame, rule = group["ownership"]["frame"], group["ownership"]["rule"]
    if frame is None:
        return f"{rule['text'] if rule else 'no rule'} ({expected.lesson})"
    place = frame["path"].removeprefix("examples/monolith/shop/")
    return f"{place}:{frame['lineno']} ({expected.lesson})"


def shortened(text: str) -> str:
    return text if len(text) <= 45 else f"{text[:44]}…"


if __name__ == "__main__":
    sys.exit(main())
