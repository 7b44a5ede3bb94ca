"""The clients, installed below `.clients/`, which git ignores; and their versions."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.clients.sentry_browser import chromium
from tests.running import ROOT

HERE = Path(__file__).parent
CACHE = ROOT / ".clients"
PYTHON = CACHE / "venv" / "bin" / "python"
MODULES = CACHE / "node_modules"


def missing() -> list[str]:
    """The programs that this machine has not."""
    return [
        *(name for name in ("node", "npm") if shutil.which(name) is None),
        *([] if chromium() else ["chromium"]),
    ]


def install() -> None:
    """Once for each version of the lists; needs the network."""
    CACHE.mkdir(exist_ok=True)
    if _changed("requirements.txt"):
        _run(sys.executable, "-m", "venv", "--clear", str(PYTHON.parents[1]))
        pip = (str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "--require-hashes", "-r", str(HERE / "requirements.txt"))
        shutil.copy(HERE / "requirements.txt", CACHE)
    if _changed("package.json") or not MODULES.exists():
        shutil.copy(HERE / "package.json", CACHE)
        words = "--no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error"
        _run("npm", "install", "--prefix", str(CACHE), *words.split())


def command(program: str, *words: str) -> list[str]:
    if program.endswith(".mjs"):
        return ["node", str(HERE / program), *words]
    return [str(PYTHON), "-m", f"tests.clients.{program}", *words]


def versions() -> dict[str, str]:
    """Package → version, exactly as installed."""
    pins = re.findall(r"^([\w-]+)==(\S+)", (HERE / "requirements.txt").read_text(), re.MULTILINE)
    return dict(pins) | json.loads((HERE / "package.json").read_text())["dependencies"]


def said_by(*words: str) -> str:
    """Such as by `node --version`."""
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def _changed(name: str) -> bool:
    kept = CACHE / name
    return not kept.exists() or kept.read_bytes() != (HERE / name).read_bytes()


def _run(*words: str) -> None:
    subprocess.run(words, cwd=ROOT, check=True)
