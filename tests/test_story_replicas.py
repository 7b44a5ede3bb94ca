"""Two services on one PostgreSQL, in small. At length, with its cost: benchmarks/replicas.py."""

from pathlib import Path

from benchmarks import replicas
from tests.postgres import Postgres


def test_two_services_lose_nothing_and_tell_nothing_twice_and_one_may_be_killed(
    tmp_path: Path, postgres: Postgres
) -> None:
    size = replicas.Size(events=400, groups=40, killed_groups=40, connections=8)
    two = replicas.shared(size, 2, postgres, tmp_path)
    killed = replicas.killed_meanwhile(size, postgres, tmp_path)
    assert replicas.claims(size, two, two, killed) == []
