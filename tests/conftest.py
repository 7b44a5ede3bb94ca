"""Hypothesis by counts, not by the clock: in a clean clone its first text costs two seconds."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import ELSEWHERE, url_of
from tests.postgres import Postgres

settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize="CI" in os.environ,  # the same examples each time: what landed stays green
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("prove", settings.get_profile("unhurried"), derandomize=False)
settings.load_profile("unhurried")


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: many tests wait for what a service does."""
    return (os.cpu_count() or 1) * 3 // 2


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server, started where the first test asks for it."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The test runs twice: `url_of(tmp_path)` is a SQLite file, then a PostgreSQL."""
    if request.param == "sqlite":
        yield url_of(tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.migrated() as url:
        ELSEWHERE[tmp_path] = url
        yield url
        del ELSEWHERE[tmp_path]
