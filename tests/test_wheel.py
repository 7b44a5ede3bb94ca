"""What is installed is the whole service: it runs outside the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("matchers", "routers", "service")
BUILD = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel lies unpacked."""
    built, unpacked = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("unpacked")
    subprocess.run([*BUILD, str(built)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(unpacked)
    return unpacked


def test_templates_styles_and_migrations_are_in_the_wheel(installed: Path) -> None:
    files = {
        path.relative_to(ROOT)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {path.suffix for path in files} >= {".py", ".html", ".css", ".js", ".mako"}
    assert [path for path in sorted(files) if not (installed / path).is_file()] == []


def test_the_wheel_holds_nothing_else(installed: Path) -> None:
    tops = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert tops == set(PACKAGES)


def test_the_installed_service_starts_anywhere(installed: Path, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if "POINTSMAN" not in name}
    with subprocess.Popen(
        [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", "0"],
        cwd=tmp_path,
        env=environ | {"PYTHONPATH": str(installed)},
        stderr=subprocess.PIPE,
        text=True,
    ) as service:
        assert service.stderr is not None
        started = any("startup complete" in line for line in service.stderr)
        service.terminate()
    assert started
    assert (tmp_path / "data" / "pointsman.db").exists()
