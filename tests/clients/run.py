"""`make clients`: real clients report to the real service. Writes docs/clients.md.

Each client has a service of its own, fresh, so that its books hold nothing else. Exits with 1 when
an error did not arrive, or otherwise than tests/clients/table.py expects.
"""

import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.clients import installed, page
from tests.clients.arrived import Arrived, arrived, wrong
from tests.clients.table import CLIENTS, Client
from tests.clients.tap import a_tap
from tests.running import ROOT, a_service, environment

KEY = "0123456789abcdef0123456789abcdef"
PATIENCE = 120  # seconds, for one client
RULES = f"""version: 1
source_roots: ["{ROOT}/"]
teams:
  payments: {{receivers: [{{channel: log}}]}}
  platform: {{receivers: [{{channel: log}}]}}
  web: {{receivers: [{{channel: log}}]}}
rules:
  - {{path: /tests/clients/, owner: platform}}
  - {{path: /tests/clients/shop/checkout.mjs, owner: web}}
  - {{path: /tests/clients/shop/cards.mjs, owner: payments}}
  - {{path: /examples/monolith/shop/web/, owner: web}}
  - {{path: /examples/monolith/shop/billing/, owner: payments}}
"""


def main() -> None:
    if missing := installed.missing():
        sys.exit(f"make clients needs {', '.join(missing)}")
    installed.install()
    wanted = [one for one in CLIENTS if not sys.argv[1:] or one.name in sys.argv[1:]]
    results = {}
    for client in wanted:
        results[client] = run(client)
        said = ", ".join(wrong(client, results[client])) or "as expected"
        sys.stdout.write(f"{client.name}: {said}\n")
        sys.stdout.flush()
    if wanted == list(CLIENTS):
        page.PAGE.write_text(page.written(results, datetime.now(UTC)))
    if any(wrong(client, came) for client, came in results.items()):
        sys.exit(1)


def run(client: Client) -> Arrived:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # of the page that Chromium opens
    settings = {
        "POINTSMAN_INGEST_KEYS": f"{KEY}:1",
        "POINTSMAN_ALLOWED_ORIGINS": f"http://127.0.0.1:{port}",
    }
    with (
        TemporaryDirectory() as folder,
        a_service(Path(folder), RULES, **settings) as service,
        a_tap(service.port) as tap,
    ):
        more = str(port) if client.program == "sentry_browser" else client.more
        trouble = reported(client.program, tap.url, KEY, *filter(None, [more]))
        return arrived(service, tap, trouble)


def reported(program: str, *words: str) -> str:
    """Runs the client. What it says last when it fails."""
    try:
        done = subprocess.run(
            installed.command(program, *words),
            cwd=ROOT,
            env=environment(NODE_PATH=str(installed.MODULES), NO_PROXY="127.0.0.1"),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {PATIENCE} s"
    if done.returncode == 0:
        return ""
    return (done.stderr.splitlines() or [f"exit {done.returncode}"])[-1]


if __name__ == "__main__":
    main()
