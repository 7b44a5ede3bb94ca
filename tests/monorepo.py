"""A repository of several teams, real git, whose rules have one of each kind of finding."""

import subprocess
from pathlib import Path

ROOT_RULES = """version: 1
teams:
  web: {receivers: [{channel: log}]}
rules:
  - {path: /server/, owner: web}
  - {include: teams/*.yaml}
tests:
  - {frames: [server/app/web/a.py], owner: web}
"""
PAY = """version: 1
team: pay
teams: {pay: {}}
rules:
  - {path: /server/app/pay/}
  - {path: /server/app/risk/}
  - {path: /gone/}
"""
RISK = """version: 1
team: risk
teams: {risk: {receivers: []}}
rules:
  - {path: /server/app/risk/}
"""
FILES = {
    "ownership_rules.yaml": ROOT_RULES,
    "teams/pay.yaml": PAY,
    "teams/risk.yaml": RISK,
    **{f"server/app/{team}/{name}.py": "" for team in ("pay", "risk", "web") for name in "abc"},
}
# What `check --repo` finds there.
FINDINGS = {
    ("teams/pay.yaml", 3, "no_receiver"),
    ("teams/pay.yaml", 6, "shadowed_rule"),
    ("teams/pay.yaml", 7, "dead_rule"),
    ("teams/risk.yaml", 5, "contested_paths"),
}
_WHO = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, *_WHO, "commit", "--quiet", "--message", "change")
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *words: str) -> str:
    ran = subprocess.run(
        ["git", "-C", str(folder), *words],  # noqa: S607 the machine's own git
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout.strip()


def make(folder: Path) -> str:
    """Returns the commit."""
    write(folder, FILES)
    git(folder, "init", "--quiet", ".")
    return commit(folder)
