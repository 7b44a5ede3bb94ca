"""`make bench`: ratios of things run in turn. Writes benchmarks/RESULTS.md, never edited by hand.

    python -m benchmarks.bench [--rounds N] [--seconds S]

Exits with 1 where a claim does not hold.
"""

import os
import platform
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import delivery, ingest, matching, parts, scrubbing, storm
from benchmarks.load import CONNECTIONS
from benchmarks.prove import commit

PAGE = Path(__file__).parent / "RESULTS.md"
GENERATED = "benchmarks/RESULTS.md"


def main() -> None:
    asked = ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=ingest.ROUNDS)
    asked.add_argument("--seconds", type=float, default=ingest.SECONDS)
    told = asked.parse_args()
    began, load = datetime.now(UTC), os.getloadavg()[0]
    measured = ingest.measure(told.rounds, told.seconds)
    broken = list(ingest.claims(measured))
    sections = {
        "Requests a second, as shares of a bare ASGI app": ingest.table(measured),
        "Where the rest of the time goes": parts.table(),
        "A storm": storm.table([storm.storm(groups) for groups in storm.GROUPS]),
        "From accepted to told": delivery.table(list(delivery.measure())),
    }
    held = "all hold" if not broken else "; ".join(broken)
    text = (
        "# Results\n\nWritten by `make bench`; not by hand. Medians of rounds run in turn, "
        f"{CONNECTIONS} connections, SQLite with full fsync, each answer after its commit; "
        "masking, dedup and metrics on; storms after sampling began. The server has one core, the "
        "load and PostgreSQL another.\n\n"
        f"| | |\n|---|---|\n| date | {began:%Y-%m-%d %H:%M} UTC |\n"
        f"| commit | {commit(GENERATED)} |\n"
        f"| machine | {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}; load {load:.1f} as it began |\n"
        f"| claims | {held} |\n\n"
        + "\n\n".join(f"## {title}\n\n{part}" for title, part in sections.items())
        + "\n"
    )
    PAGE.write_text(text)
    print(text)
    matching.main()
    scrubbing.main()
    if broken:
        sys.exit(1)


if __name__ == "__main__":
    main()
