"""`visible:` of the rules file."""

import pytest

from matchers.visible import Visible
from routers.rules import load_rules
from tests.builders import loaded, the_rules
from tests.trees import FakeTree

WORDS = "breadcrumbs, contexts, extra, request, tags, user, vars"
NO_TEXT = "expected text; quote it if it looks like a number or a truth value"


@pytest.mark.parametrize(
    ("name", "shows", "hides"),
    [
        (
            "extra.order_id",
            ["extra.order_id", "extra.Order_ID"],
            ["extra.order_id.x", "extra.order"],
        ),
        (
            "contexts.runtime.*",
            ["contexts.runtime.name", "contexts.runtime.a.b"],
            ["contexts.runtime"],
        ),
        ("request.headers.x-*", ["request.headers.X-Request-Id"], ["request.headers.host"]),
        ("breadcrumbs.?.message", ["breadcrumbs.1.message"], ["breadcrumbs.10.message"]),
    ],
)
def test_a_name_is_a_glob_over_dotted_names(name: str, shows: list[str], hides: list[str]) -> None:
    visible = Visible([name])
    assert [one for one in (*shows, *hides) if visible.shows(one)] == shows


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (
            "[extras.a]",
            f'rules.yaml:2:11: "extras.a" begins with none of {WORDS} — did you mean "extra"?',
        ),
        ("[user]", 'rules.yaml:2:11: "user" names no value; "user.*" is all of them'),
        ('["*"]', f'rules.yaml:2:11: "*" begins with none of {WORDS}'),
        ("[extra..a]", 'rules.yaml:2:11: "extra..a" has an empty part'),
        ("[extra.]", 'rules.yaml:2:11: "extra." has an empty part'),
        ("[7]", f"rules.yaml:2:11: {NO_TEXT}"),
        ("user.id", "rules.yaml:2:10: expected a list"),
    ],
)
def test_a_malformed_name_is_a_problem_in_its_place(written: str, problem: str) -> None:
    found = loaded(f"visible: {written}")
    assert [str(one) for one in found.problems] == [problem]


def test_a_malformed_name_shows_nothing() -> None:
    assert not loaded("visible: [extras.a]").rules.visible


def test_nothing_is_visible_where_the_file_says_nothing() -> None:
    assert not the_rules("teams: {a: {}}").visible


def test_a_team_file_makes_nothing_visible() -> None:
    files = {
        "rules.yaml": "version: 1\nrules: [{include: a.yaml}]\n",
        "a.yaml": "version: 1\nvisible: [user.*]\n",
    }
    found = load_rules(FakeTree(files), "rules.yaml", {})
    assert [str(one) for one in found.problems] == [
        "a.yaml:2:1: `visible` belongs in the root file"
    ]
    assert not found.rules.visible
