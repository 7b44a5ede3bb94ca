"""The image, as far as reading its recipe can tell."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
# One instruction a line: continued lines are joined, comments left out.
STEPS = [
    line
    for line in re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()
    if line and not line.startswith("#")
]
FINAL = STEPS[max(n for n, step in enumerate(STEPS) if step.startswith("FROM ")) :]


def said(instruction: str, steps: list[str] = STEPS) -> list[str]:
    return [step.partition(" ")[2] for step in steps if step.startswith(f"{instruction} ")]


def test_it_is_built_in_one_stage_and_runs_in_another() -> None:
    assert said("FROM") == ["python:3.11-slim AS build", "python:3.11-slim"]


def test_it_runs_as_a_user_who_is_not_root() -> None:
    (user,) = said("USER", FINAL)
    assert all(int(part) > 0 for part in user.split(":"))


def test_it_starts_the_service_without_a_shell() -> None:
    assert [json.loads(command) for command in said("CMD", FINAL)] == [["pointsman", "serve"]]


def test_its_health_is_asked_without_curl() -> None:
    (check,) = said("HEALTHCHECK", FINAL)
    python, option, code = json.loads(check.partition("CMD ")[2])
    assert (python, option) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")


def test_what_is_installed_is_locked() -> None:
    installs = [step for step in said("RUN") if "pip install" in step]
    assert ["--require-hashes" in step or "--no-deps" in step for step in installs] == [True, True]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    for copied in said("COPY"):
        sources = [] if copied.startswith("--from") else copied.split()[:-1]
        assert [name for name in sources if not (ROOT / name).exists() or name not in kept] == []


def test_no_key_and_no_token_is_in_the_image() -> None:
    assert not [setting for setting in said("ENV") if re.search("KEYS=|TOKEN=", setting)]
