"""Who owns a path, with no event around it."""

import pytest

from matchers.lookup import look_up
from tests.builders import the_rules


@pytest.mark.parametrize(
    "asked", ["not: {environment: staging}", "not: {exception: KeyError}", "level: error"]
)
def test_a_rule_that_asks_for_an_event_is_not_met_by_a_path_alone(asked: str) -> None:
    rules = the_rules(
        "teams: {a: {}, b: {}}\n"
        "rules:\n"
        "  - {path: /app/, owner: a}\n"
        f"  - {{path: /app/, owner: b, {asked}}}"
    )
    assert look_up("app/x.py", rules.ruleset).owners == ("a",)
