"""Groups and events are found by their words, and no question is anything else than words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from service.store.search_tables import number
from tests.service.days import DAY, MINUTE, Days, the_days
from tests.service.test_retention import ask, count
from tests.service.test_words import CASES, HOSTILE

SYNTAX = [
    '"', '""', "'", "*", "(", ")", "^a", "a^", "a:b", "words:a", "{words}: a", "- a", "a - b", "+a",
    "a NEAR b", "NEAR(a b, 5)", "a AND", "OR", "NOT", "a AND NOT", "a & ", "| a", "!a", "!!", "<->",
    "a <-> b", "a:*", "a:B", "\\", "\\'", "%", "_", ";", "--", "/*", "a\tb", "ⓐ", "ﬁ", "İ", "́",
]  # fmt: skip


@pytest.fixture
def days(tmp_path: Path, either: str) -> Iterator[Days]:
    with the_days(tmp_path) as days:
        yield days


def index(days: Days) -> None:
    """What was kept before one look is found after the next."""
    for _ in range(2):
        days.inside.search_watch.look()


def groups(days: Days, q: str, **more: str) -> list[str]:
    answer = days.client.get("/api/v1/groups", params={"q": q, **more})
    return [group["title"] for group in answer.raise_for_status().json()["groups"]]


def events(days: Days, **asked: str) -> list[dict[str, Any]]:
    answer = days.client.get("/api/v1/events", params=asked)
    found: list[dict[str, Any]] = answer.raise_for_status().json()["events"]
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """Each text of tests/data/search.yaml as an event's message."""
    with the_days(tmp_path_factory.mktemp("search")) as days:
        for case in CASES:
            days.post("/api/v1/events", [{"message": case["text"]}])
        index(days)
        yield days


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["text"])[:30])
def test_an_event_is_found_by_what_was_written_down(written: Days, case: dict[str, Any]) -> None:
    def finds(q: str) -> bool:
        found = events(written, q=q, limit="200")
        return case["text"] in [one["event"]["message"] for one in found]

    missed = [q for q in case["finds"] if not finds(q)]
    too_much = [q for q in case["leaves"] if finds(q)]
    assert (missed, too_much) == ([], [])


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["text"])[:30])
def test_its_group_is_found_by_the_same(written: Days, case: dict[str, Any]) -> None:
    missed = [q for q in case["finds"] if case["text"] not in groups(written, q, limit="200")]
    too_much = [q for q in case["leaves"] if case["text"] in groups(written, q, limit="200")]
    assert (missed, too_much) == ([], [])


@pytest.mark.parametrize("q", [*SYNTAX, *(one[:200] for one in HOSTILE)])
def test_no_question_is_syntax(written: Days, q: str) -> None:
    for path in ("/api/v1/groups", "/api/v1/events", "/api/v1/events?group=a%22%20OR%20%22b", "/"):
        given = "&" if "?" in path else "?"
        assert written.client.get(f"{path}{given}q={quote(q)}").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/groups", "/api/v1/events", "/"])
def test_a_question_has_its_length(written: Days, path: str) -> None:
    assert written.client.get(path, params={"q": "a" * 10_000}).status_code == 422


@pytest.mark.parametrize("name", ['x" OR "error', "'", "§", "0" * 16, ""])
def test_what_is_named_beside_a_question_is_no_syntax_either(written: Days, name: str) -> None:
    for asked in ({"group": name}, {"project": name}):
        assert events(written, q="error", **asked) == []


def test_a_group_is_found_by_what_its_events_say(days: Days) -> None:
    frame = {"path": "billing/tax.py", "function": "lookUpRate"}
    about = {"release": "shop@2026.11", "transaction": "/checkout/pay", "environment": "qa"}
    chain = [
        {"type": "KeyError", "value": "Atlantis", "frames": [frame]},
        {"type": "TaxError", "value": "no rate", "source": "__cause__", "frames": ["web/pay.py"]},
    ]
    days.post("/api/v1/events", [{"exceptions": chain, **about}])
    index(days)
    asked = ("key", "atlantis", "tax.py", "rate", "shop@2026", "checkout", "qa", "web/pay")
    assert [q for q in asked if not groups(days, q)] == []
    assert groups(days, "atlantis nowhere") == []


def test_a_group_that_came_just_now_is_found_by_its_title(days: Days) -> None:
    days.post("/api/v1/events", [{"exceptions": [{"type": "TaxError", "value": "no rate"}]}])
    assert (groups(days, "taxerr"), groups(days, "nowhere")) == (["TaxError: no rate"], [])


def test_a_group_is_found_by_its_newest_release_and_by_the_one_before(days: Days) -> None:
    for release in ("shop@1.0.7", "shop@1.0.8"):
        days.fail(release=release)
        index(days)
    assert [len(groups(days, q)) for q in ("1.0.7", "1.0.8", "1.0.9")] == [1, 1, 0]


def test_a_group_is_found_by_so_many_words_and_no_more(days: Days) -> None:
    for start in range(0, 1000, 20):
        said = " ".join(f"word{number}" for number in range(start, start + 20))
        days.fail(message=f"one {said}", fingerprint=["all one"])
    index(days)
    assert [len(groups(days, q)) for q in ("word999", "word0")] == [1, 1]  # word0: in its title
    assert groups(days, "word70") == []


def test_events_are_found_within_a_group_and_a_project(days: Days) -> None:
    tax, search = days.fail("billing/tax.py", message="slow"), days.fail("a.py", message="so slow")
    days.client.post("/api/7/store/", json={"message": "slow too"}).raise_for_status()
    index(days)
    assert [one["group"] for one in events(days, q="slow", group=tax)] == [tax]
    assert [one["group"] for one in events(days, group=search)] == [search]
    assert [one["event"]["message"] for one in events(days, q="slow", project="7")] == ["slow too"]
    assert [one["event"]["message"] for one in events(days, project="7")] == ["slow too"]


def test_an_event_is_found_by_its_id_and_says_whose_it_is(days: Days) -> None:
    group = days.fail(event_id="ab" * 16)
    index(days)
    (found,) = events(days, q="abababab")
    assert (found["id"], found["group"], found["outcome"]) == ("ab" * 16, group, "notified")
    assert found["ownership"]["owners"] == ["payments"]


@pytest.mark.parametrize("asked", [{}, {"q": "slow"}, {"project": "1"}, {"group": "its"}])
def test_what_is_found_comes_by_pages_the_newest_first(days: Days, asked: dict[str, str]) -> None:
    for at in range(5):
        group = days.fail(message=f"slow {at}")
        days.pass_by(MINUTE)
    index(days)
    asked = {name: group if name == "group" else said for name, said in asked.items()}
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = days.client.get("/api/v1/events", params=asked | page).json()
        seen += [one["event"]["message"] for one in answer["events"]]
        cursor = answer["next"]
    assert seen == [f"slow {at}" for at in (4, 3, 2, 1, 0)]


def test_what_was_deleted_is_found_no_more(days: Days) -> None:
    days.fail(message="slow")
    index(days)
    days.pass_by(31 * DAY)
    days.inside.retention_watch.look()
    assert (events(days, q="slow"), count(days, "event_words")) == ([], 0)


def test_an_index_forgets_what_was_deleted(tmp_path: Path) -> None:
    sizes = []
    with the_days(tmp_path) as days:
        for _ in range(3):
            for number in range(20):
                days.fail(f"billing/n{number}.py", times=10, message=f"order {number} is late")
            index(days)
            days.pass_by(31 * DAY)
            days.inside.retention_watch.look()
            data = "SELECT sum(length(block)) FROM event_words_data"
            sizes.append(int(ask(days, data)[0][0]))
        assert events(days, q="late") == []
    assert max(sizes) < 1000


def test_how_far_the_indexes_are_behind_is_shown(days: Days) -> None:
    days.fail(times=3)
    behind = []
    for _ in range(2):
        days.inside.search_watch.look()
        behind.append(days.inside.telemetry.registry.get_sample_value("pointsman_search_behind"))
    assert behind == [3, 0]


def test_what_is_masked_is_found_by_nobody(days: Days) -> None:
    days.fail(message="card 4111 1111 1111 1111 of ann@example.org")
    index(days)
    assert [events(days, q=q) for q in ("4111", "ann", "example.org")] == [[], [], []]
    assert len(events(days, q="card")) == 1


def test_the_page_of_groups_and_of_a_group_find_too(days: Days) -> None:
    group = days.fail(message="slow as ever")
    index(days)
    assert "slow as ever" in days.client.get("/?q=ever").text
    assert "No group matches" in days.client.get("/?q=never").text
    assert days.client.get(f"/groups/{group}?q=ever").text.count("slow as ever") > 1
    assert "No event that is kept" in days.client.get(f"/groups/{group}?q=never").text


def test_every_group_has_a_number_of_its_own_that_a_database_can_hold() -> None:
    ids = ["0" * 16, "f" * 16, "7" + "f" * 15, "8" + "0" * 15]
    assert [number(one) for one in ids] == [0, -1, 2**63 - 1, -(2**63)]
