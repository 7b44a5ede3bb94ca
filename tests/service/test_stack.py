"""The stack of an event as a page shows it."""

from matchers.ruleset import Ruleset
from service.stack import stack
from tests.builders import an_event


def test_members_of_a_group_are_causes_of_the_group() -> None:
    group = [
        {"type": "ValueError", "exception_id": 2, "parent_id": 0},
        {"type": "KeyError", "exception_id": 1, "parent_id": 0},
        {"type": "ExceptionGroup", "exception_id": 0},
    ]
    shown = stack(an_event(exceptions=group), None, Ruleset())
    assert [(thrown.type, thrown.relation) for thrown in shown] == [
        ("KeyError", "cause of ExceptionGroup"),
        ("ValueError", "cause of ExceptionGroup"),
        ("ExceptionGroup", "thrown"),
    ]
