"""Sentry's SDK for browsers, bundled and minified, in Chromium, on a page of another origin.

    python -m tests.clients.sentry_browser http://127.0.0.1:8000 KEY 8001

Needs `npm install @sentry/browser esbuild` where NODE_PATH points, and serves the page at the port
that is the last argument. The bundle's source map goes to the service first, and to no browser.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from os import environ
from pathlib import Path
from threading import Thread
from urllib.request import Request, urlopen

PAGE = '<!doctype html><meta charset="utf-8"><body></body><script src="/static/app.js"></script>'
SOURCE = Path("tests", "clients", "sentry_browser.mjs")
CHROMIUM = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --no-proxy-server "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--virtual-time-budget=10000 --dump-dom"
)


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def main(url: str, key: str, port: str) -> None:
    beside = Path(environ["NODE_PATH"]).parent  # the map names sources as they lie from here
    with tempfile.TemporaryDirectory(dir=beside) as site:
        bundle(Path(site), url.replace("://", f"://{key}@") + "/1")
        upload(url, Path(site, "static", "app.js.map"))
        with served(Path(site), int(port)):
            shown = opened(f"http://127.0.0.1:{port}/")
    if "answered 200" not in shown:
        sys.exit(f"the page does not show that the SDK read an answer: {' '.join(shown.split())}")


def bundle(site: Path, dsn: str) -> None:
    (site / "index.html").write_text(PAGE)
    command = [
        str(Path(environ["NODE_PATH"], ".bin", "esbuild")),
        str(SOURCE),
        "--bundle",
        "--minify",
        "--sourcemap=external",
        "--log-level=warning",
        f"--define:SENTRY_DSN={json.dumps(dsn)}",
        f"--outfile={site / 'static' / 'app.js'}",
    ]
    subprocess.run(command, check=True)


def upload(url: str, source_map: Path) -> None:
    asked = "release=shop@2026.11.1&project=1&name=~/static/app.js"
    request = Request(f"{url}/api/v1/artifacts?{asked}", source_map.read_bytes())  # noqa: S310 ours
    request.add_header("Content-Type", "application/json")
    with urlopen(request) as answer:  # noqa: S310 raises what is no success
        answer.read()
    source_map.unlink()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(site: Path, port: int) -> Iterator[None]:
    handler = partial(Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def opened(address: str) -> str:
    """The page as it stands once nothing more happens on it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium() or "", *CHROMIUM.split(), f"--user-data-dir={profile}", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


if __name__ == "__main__":
    main(*sys.argv[1:])
