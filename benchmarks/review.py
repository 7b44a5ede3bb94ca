"""`check --repo`, `coverage` and `diff` on a large repository: 40 team files, 10,000 rules, 100,000
paths. Made from a seed in a temporary folder; each word is its own process, as CI runs it.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.shapes import Shapes

ROOT = Path(__file__).parent.parent
TEAMS, RULES, PATHS = 40, 10_000, 100_000
ROUNDS = 3  # the best counts: the others ran beside something else
BUDGETS = {"check": 5.0, "coverage": 3.0}  # seconds


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder)
        _make(repository)
        calls = {
            "check": ["check", "--repo", "files.txt"],
            "coverage": ["coverage", "--repo", "files.txt"],
            "diff": ["diff", "ownership_rules.yaml", "ownership_rules.yaml", "--repo", "files.txt"],
        }
        broken = []
        for name, words in calls.items():
            seconds = min(_seconds(words, repository) for _ in range(ROUNDS))
            budget = BUDGETS.get(name)
            print(f"{name:<10} {seconds:5.2f} s" + (f"  budget {budget:g} s" if budget else ""))
            if budget and seconds > budget:
                broken.append(name)
    if broken:
        sys.exit(f"over budget: {', '.join(broken)}")


def _make(repository: Path) -> None:
    shapes = Shapes(RULES)
    (repository / "teams").mkdir()
    (repository / "ownership_rules.yaml").write_text(
        "version: 1\nrules:\n  - {include: teams/*.yaml}\n"
    )
    for team in range(TEAMS):
        rules = "".join(f'  - {{path: "{path}"}}\n' for path in shapes.patterns[team::TEAMS])
        (repository / "teams" / f"t{team:02}.yaml").write_text(
            f"version: 1\nteam: t{team}\nteams: {{t{team}: {{}}}}\nrules:\n{rules}"
        )
    (repository / "files.txt").write_text("\n".join(shapes.paths(PATHS)))


def _seconds(words: list[str], repository: Path) -> float:
    started = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "service.cli", *words],
        cwd=repository,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    took = time.perf_counter() - started
    if ran.returncode not in (0, 1):
        sys.exit(ran.stderr.decode())
    return took


if __name__ == "__main__":
    main()
