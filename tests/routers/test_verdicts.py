"""What people say of a group, and which event ends it. The whole ways: service/test_acts.py."""

from datetime import datetime, timedelta

import msgspec
import pytest

from matchers.event import Event
from matchers.ownership import why
from routers import verdicts
from routers.group import Audience, Group, Until
from routers.policy import Policy
from routers.route import Routing, route
from routers.rules import Rules
from service.pipeline import decide
from tests.builders import NOW, raised_in
from tests.routers.test_route import GROUP, LONG_AGO, RULES, at, knowing, told

HOUR = timedelta(hours=1)
SEEN = {"old": NOW - 9 * HOUR, "fix": NOW - 5 * HOUR}


def met(group: Group, event: Event | None = None, rules: Rules = RULES) -> tuple[Group, Routing]:
    """The group after an event, and who is told of that."""
    decided = decide(event or raised_in("billing/tax.py"), rules)
    ownership = verdicts.given(decided.ownership, group, rules)
    after = verdicts.after(
        group,
        decided.event,
        ownership,
        policy=rules.policy,
        first_seen=lambda _project, release: SEEN.get(release),
    )
    return after, route(
        decided.event, ownership, after, rules=rules, public_url="http://here", now=NOW
    )


def reasons(routing: Routing) -> list[str]:
    """Each once, however many receivers are told."""
    return list(dict.fromkeys(one.reason for one in routing.notifications))


@pytest.mark.parametrize(
    ("fixed", "release", "reopened"),
    [
        ("1.4.2", "1.4.3", True),
        ("1.4.2", "1.4.2", False),
        ("1.4.2", "1.4.1", False),
        ("1.4.2", None, True),
        (None, "1.4.1", True),
        ("fix", "old", False),
        ("fix", "brand new", True),
        ("old", "fix", True),
        ("never seen", "fix", False),
        ("never seen", "brand new", True),
    ],
)
def test_a_newer_release_than_the_one_it_was_resolved_in_reopens_it(
    fixed: str | None, release: str | None, reopened: bool
) -> None:
    group = verdicts.resolved(knowing(told("payments")), NOW - HOUR, fixed)
    after, routing = met(group, raised_in("billing/tax.py", release=release))
    assert after.status == ("unresolved" if reopened else "resolved")
    assert reasons(routing) == (["regression"] if reopened else [])
    assert routing.outcome == ("notified" if reopened else "grouped")


def test_an_event_that_came_before_it_was_resolved_does_not_reopen_it() -> None:
    group = verdicts.resolved(knowing(told("payments")), NOW + HOUR)
    after, routing = met(group)
    assert (after.status, routing.outcome) == ("resolved", "grouped")


def test_in_an_environment_that_never_heard_of_it_an_older_release_is_no_news() -> None:
    group = verdicts.resolved(knowing(told("payments", "staging")), NOW - HOUR, "1.4.2")
    _after, routing = met(group, raised_in("billing/tax.py", release="1.4.1"))
    assert (routing.outcome, reasons(routing)) == ("grouped", [])


@pytest.mark.parametrize(
    ("until", "seen", "reason"),
    [
        (Until(), 1_000_000, None),
        (Until(moment=NOW), 2, "repeat"),
        (Until(moment=NOW + HOUR), 2, None),
        (Until(times=10), 11, "escalation"),
        (Until(times=10), 10, None),
        (Until(moment=NOW, times=10), 11, "escalation"),
        (Until(moment=NOW + HOUR, times=10), 11, "escalation"),
    ],
)
def test_the_first_that_holds_ends_an_ignoring(until: Until, seen: int, reason: str | None) -> None:
    group = verdicts.ignored(knowing(told("payments")), NOW - HOUR, until)
    after, routing = met(msgspec.structs.replace(group, times_seen=seen))
    assert after.status == ("unresolved" if reason else "ignored")
    assert reasons(routing) == ([reason] if reason else [])


@pytest.mark.parametrize(("before", "reason"), [(3, "escalation"), (4, None), (2, None)])
def test_only_the_event_that_reaches_a_threshold_crosses_it(
    before: int, reason: str | None
) -> None:
    audience = msgspec.structs.replace(told("payments"), times_seen=before)
    group = verdicts.ignored(knowing(audience), NOW - HOUR, Until(escalation=True))
    policy = Policy.model_validate({"notify": {"escalation": [4], "repeat_interval": "0s"}})
    _after, routing = met(group, rules=msgspec.structs.replace(RULES, policy=policy))
    assert reasons(routing) == ([reason] if reason else [])


def test_what_woke_a_group_is_told_to_each_audience_once() -> None:
    woken = msgspec.structs.replace(
        knowing(told("payments"), told("payments", "staging")),
        woken_at=NOW - HOUR,
        woken_for="escalation",
        times_seen=70,
    )
    _after, routing = met(woken)
    assert (reasons(routing), routing.notifications[0].threshold) == (["escalation"], 70)
    _after, again = met(msgspec.structs.replace(woken, audiences=routing.audiences))
    assert reasons(again) == []
    _after, elsewhere = met(woken, raised_in("billing/tax.py", environment="staging"))
    assert reasons(elsewhere) == ["escalation"]


def test_an_assignment_stands_beside_the_decision() -> None:
    after, routing = met(verdicts.assigned(GROUP, NOW, "search", "payments"))
    notification = routing.notifications[0]
    assert (after.team, notification.team) == ("search", "search")
    assert notification.why.startswith("assigned by a person; the rules name payments: billing/")


@pytest.mark.parametrize(
    ("audience", "moved_at", "reason"),
    [
        (None, NOW, "owner_changed"),
        (LONG_AGO, NOW, "owner_changed"),
        (NOW, LONG_AGO, None),
    ],
    ids=["it was never told", "it was told before that", "it was told since"],
)
def test_whom_a_person_gave_it_to_is_told_once(
    audience: datetime | None, moved_at: datetime, reason: str | None
) -> None:
    search = msgspec.structs.replace(told("search"), last_notified_at=audience)
    group = verdicts.assigned(knowing(told("payments"), search), moved_at, "search", "payments")
    assert reasons(met(group)[1]) == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("others", "sequence", "lost_by"),
    [
        ([told("search", sequence=1)], 2, ("search",)),
        ([told("search", sequence=1)], 1, ()),
        ([told("search", "staging", sequence=1)], 2, ()),
        ([Audience(team="search", environment="production", sequence=1)], 2, ()),
        ([told("search", sequence=1), told("payments", sequence=2)], 3, ()),
        ([told(None, sequence=1)], 2, (None,)),
    ],
    ids=[
        "a newer revision took it",
        "the same revision has two owners",
        "in another environment",
        "it was never told",
        "it lost it before",
        "it was nobody's",
    ],
)
def test_who_lost_it_with_this_event_is_named(
    others: list[Audience], sequence: int, lost_by: tuple[str | None, ...]
) -> None:
    assert met(knowing(*others), rules=at(sequence))[1].lost_by == lost_by


def test_a_second_owner_who_is_told_too_has_not_lost_it() -> None:
    group = knowing(told("search", sequence=1))
    assert met(group, raised_in("both/x.py"), at(2))[1].lost_by == ()


def test_a_team_that_is_gone_gives_back_with_a_warning() -> None:
    ownership = decide(raised_in("billing/tax.py"), RULES).ownership
    given = verdicts.given(ownership, verdicts.assigned(GROUP, NOW, "gone", "x"), RULES)
    assert (given.told, [one.code for one in given.warnings]) == (
        ("payments",),
        ["assigned_team_gone"],
    )
    assert why(given) == why(ownership)
