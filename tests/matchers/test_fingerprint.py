"""One error, one group: over releases, line moves, ids in messages. Two errors, two groups."""

from time import perf_counter

import pytest

from matchers.event import Event
from matchers.fingerprint import GROUPINGS, Grouping, fingerprint, group_id
from matchers.shapes import message_v1, message_v2
from tests.builders import an_event


def failing(value: str = "boom", **more: object) -> Event:
    frames = more.pop("frames", [{"path": "app/web.py", "function": "view", "lineno": 10}])
    return an_event(exceptions=[{"type": "KeyError", "value": value, "frames": frames}], **more)


SAME = {
    "a line move": failing(frames=[{"path": "app/web.py", "function": "view", "lineno": 99}]),
    "a library called on the way": failing(
        frames=[
            {"path": "app/web.py", "function": "view"},
            {"path": "/x/site-packages/lib.py", "function": "call"},
        ]
    ),
    "a recursion": failing(frames=[{"path": "app/web.py", "function": "view"}] * 40),
    "another release": failing(release="9"),
    "another environment": failing(environment="staging"),
}
OTHER = {
    "another type": an_event(
        exceptions=[{"type": "E", "value": "boom", "frames": [{"path": "app/web.py"}]}]
    ),
    "another function": failing(frames=[{"path": "app/web.py", "function": "other"}]),
    "another message": failing("bang"),
    "another directory": failing(frames=[{"path": "api/web.py", "function": "view"}]),
    "another caller of one helper": failing(
        frames=[
            {"path": "app/api.py", "function": "list"},
            {"path": "app/web.py", "function": "view"},
        ]
    ),
    "a fingerprint of its own": failing(fingerprint=["card"]),
}


@pytest.mark.parametrize("name", SAME)
def test_one_error_is_one_group_over(name: str) -> None:
    assert fingerprint(SAME[name]) == fingerprint(failing())


@pytest.mark.parametrize("name", OTHER)
def test_two_errors_are_two_groups_by(name: str) -> None:
    assert fingerprint(OTHER[name]) != fingerprint(failing())


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        ("order 123 failed", "order * failed"),
        ("no user 'ann'", "no user *"),
        ("id 7f3a9b2c1d", "id *"),
        ("at 2026-11-23T03:00:00.123", "at *"),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301 gone", "* gone"),
        ("0xdeadbeef and deadline", "* and deadline"),
        ("facade", "facade"),
        ("a\n  b", "a b"),
        ("x" * 5000, "x" * 1000),
    ],
)
def test_what_varies_is_out_of_a_message_by_v1(message: str, shape: str) -> None:
    assert message_v1(message) == shape


def test_a_release_that_moves_the_files_moves_no_group() -> None:
    here, there = (
        failing(frames=[{"path": f"/srv/{release}/app/web.py", "function": "view"}])
        for release in ("20261123-1", "20261124-7")
    )
    assert fingerprint(here) == fingerprint(there)


def test_the_sdks_default_is_ours_within_its_own_fingerprint() -> None:
    kept = failing(fingerprint=["{{ default }}", "tenant-1"])
    assert fingerprint(kept) not in (
        fingerprint(failing()),
        fingerprint(failing(fingerprint=["tenant-1"])),
    )
    assert fingerprint(failing(fingerprint=["{{default}}"])) == fingerprint(failing())


def test_a_fingerprint_names_its_version_and_a_group_its_project() -> None:
    assert [fingerprint(failing(), one).partition(":")[0] for one in GROUPINGS] == [*GROUPINGS]
    assert len(group_id("1", "v1:x")) == 16
    assert group_id("1", "v1:x") != group_id("2", "v1:x")


@pytest.mark.parametrize(
    ("grouping", "known"),
    [("v1", "v1:7cc7618359a0a4e59faae7ab6f904508"), ("v2", "v2:7cc7618359a0a4e59faae7ab6f904508")],
)
def test_a_recipe_stands(grouping: Grouping, known: str) -> None:
    """A change here is a new version: known groups would all be told anew."""
    assert fingerprint(failing("order 12 failed"), grouping) == known


def test_what_one_recipe_held_apart_another_may_not() -> None:
    late, later = failing("after 900ms"), failing("after 1.2s")
    assert fingerprint(late, "v1") != fingerprint(later, "v1")
    assert fingerprint(late, "v2") == fingerprint(later, "v2")


@pytest.mark.parametrize(
    "piece",
    [
        "'a ",
        '"',
        "(",
        "=(",
        "a.b@",
        "1:",
        "?a",
        "/x?",
        "a1",
        "1m",
        "1.",
        "1 ",
        "[1, ",
        "`'",
        "mon ",
    ],
)
def test_a_hostile_message_costs_no_more_than_a_few_milliseconds(piece: str) -> None:
    before = perf_counter()
    for number in range(20):
        message_v2(f"{number}{piece * 4000}")
    assert perf_counter() - before < 1
