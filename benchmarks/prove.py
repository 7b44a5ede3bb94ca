"""`make prove`: what is too slow or too absolute for CI. Writes docs/proofs/, one page a proof.

Each proof is a command; its page holds the date, the commit, the cores and what it printed. One
that fails leaves its page saying so, and this exits with 1.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "proofs"
MOST = 2_000  # characters of what went wrong


class Proof(NamedTuple):
    name: str
    claim: str
    words: Sequence[str]  # behind the interpreter


PROOFS = (
    Proof(
        "index",
        "The path index equals a slow, obvious reference on 20,000 random sets of patterns, "
        "and `git check-ignore` on 600 where the dialects agree; twelve mutants are caught.",
        ("-m", "pytest", "tests/matchers/test_index.py", "--hypothesis-profile=prove"),
    ),
    Proof(
        "matching",
        "The budgets of matching hold on this machine.",
        ("-m", "benchmarks.matching"),
    ),
    Proof(
        "review",
        "40 team files, 10,000 rules, 100,000 paths: `check --repo` takes less than 5 s and "
        "`coverage` less than 3 s, each as its own process.",
        ("-m", "benchmarks.review"),
    ),
    Proof(
        "tracebacks",
        "Hostile stack traces cost linear time: a megabyte less than 3 s, whatever it repeats.",
        ("-m", "benchmarks.tracebacks"),
    ),
    Proof(
        "reload",
        "While 500 events a second flow, 40 team files with 10,000 rules are reloaded in less than "
        "1 s; no event is refused or lost, and none decided by a mixture of revisions.",
        ("-m", "benchmarks.reload"),
    ),
    Proof(
        "runaway",
        "While one project sends fifty times its quota, another's single errors are told within "
        "2 s; every event is answered 202 and accounted for.",
        ("-m", "benchmarks.runaway"),
    ),
    Proof(
        "flood",
        "A storm of 100,000 events in 3,000 new groups of one team: all are accepted, Slack is "
        "told no more than it takes, every group is named or counted once, and another team's "
        "single errors are told within 2 s meanwhile.",
        ("-m", "benchmarks.flood"),
    ),
    Proof(
        "faults",
        "Two minutes of a destination that is black-holed, one that answers 429, one 500, one "
        "gone, one that loses answers, one that never answers, and one that loses an answer and is "
        "gone: another is told within 2 s throughout; every group is told at its place or its "
        "fallback, and twice only after a lost answer, with the same id of the notification.",
        ("-m", "benchmarks.faults"),
    ),
    Proof(
        "upstream",
        "While the upstream is down for a minute and the service is killed meanwhile, no envelope "
        "is lost: each event arrives equal but for the added tags.",
        ("-m", "benchmarks.upstream"),
    ),
    Proof(
        "replicas",
        "Two services on one PostgreSQL take 100,000 events: none is lost, no delivery is sent "
        "twice, and each event costs at most 1.15 times the CPU it costs one service; when one is "
        "killed with -9 while it tells, nothing is lost, and only what was under way comes again.",
        ("-m", "benchmarks.replicas"),
    ),
    Proof(
        "outage",
        "PostgreSQL is stopped for 60 s under load: every Sentry event answered 200 meanwhile is "
        "there afterwards exactly once; also where the service is killed and started meanwhile, "
        "and where the spool's disk becomes full: refusals are 503 and loud, nothing is lost.",
        ("-m", "benchmarks.outage"),
    ),
    Proof(
        "hostile",
        "Bombs in every coding, lying lengths, depths and a million of anything, four at once and "
        "at every door: the "
        "service stays within 100 MB above idle, answers what each deserves, and takes an ordinary "
        "event right afterwards within a second.",
        ("-m", "benchmarks.hostile"),
    ),
    Proof(
        "growth",
        "Ten million events in 1,000 groups take less than 1.5 times the bytes of a million in the "
        "same hours, within the window (ids apart) and after it; as much is told.",
        ("-m", "benchmarks.growth"),
    ),
    Proof(
        "soak",
        "Half an hour of 500 events a second, a tenth of them in new groups: idle memory is under "
        "150 MB, and what is in use at the end is what was at half time.",
        ("-m", "benchmarks.soak"),
    ),
    Proof(
        "month",
        "Two months of five million errors each, kept for one month: pages, searches and look-ups "
        "take less than 200 ms each, beside what comes in and what is deleted too; half of the "
        "batches that delete take less than 20 ms; the file grows by less than 10 % in the second "
        "month, and the books balance.",
        ("-m", "benchmarks.month"),
    ),
    Proof(
        "openapi",
        "Whatever the OpenAPI document lets anybody send, and whatever it forbids, 300 random "
        "requests of each for each operation: no 500.",
        ("-m", "pytest", "tests/service/test_openapi.py", "--hypothesis-profile=prove"),
    ),
)


def main() -> None:
    wanted = set(sys.argv[1:])
    failed = [
        proof.name for proof in PROOFS if proof.name in wanted or not wanted if not _prove(proof)
    ]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _prove(proof: Proof) -> bool:
    print(f"proving {proof.name} …", flush=True)
    started = datetime.now(UTC)
    done = subprocess.run(
        [sys.executable, *proof.words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    seconds = (datetime.now(UTC) - started).total_seconds()
    broken = done.stderr.strip() if done.returncode else ""
    said = f"{done.stdout.strip()}\n{broken[-MOST:]}".strip().replace(str(ROOT), ".")
    PAGES.mkdir(parents=True, exist_ok=True)
    (PAGES / f"{proof.name}.md").write_text(
        f"# {proof.name}\n\n{proof.claim}\n\n"
        f"| | |\n|---|---|\n"
        f"| result | {'holds' if done.returncode == 0 else 'FAILS'} |\n"
        f"| date | {started:%Y-%m-%d %H:%M} UTC |\n"
        f"| commit | {commit('docs/proofs')} |\n"
        f"| machine | {os.cpu_count()} cores, Python {sys.version.split()[0]} |\n"
        f"| took | {seconds:.0f} s |\n"
        f"| command | `python {' '.join(proof.words)}` |\n\n"
        f"```text\n{said}\n```\n"
    )
    print(said)
    return done.returncode == 0


def commit(generated: str) -> str:
    """With what is not committed marked, but for the generated pages themselves."""
    changed = _git("status", "--porcelain", "--", ".", f":!{generated}")
    return _git("rev-parse", "--short", "HEAD") + ("-dirty" if changed else "")


def _git(*words: str) -> str:
    command = ["git", "-C", str(ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    main()
