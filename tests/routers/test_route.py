"""Who is told, and why or why not: judged per audience."""

from datetime import timedelta

import msgspec
import pytest

from matchers.event import Event
from routers.group import Audience, Group
from routers.notification import Reason
from routers.route import Routing, route
from routers.rules import Rules
from service.pipeline import decide
from tests.builders import NOW, raised_in, the_rules

TEXT = """
teams:
  payments: {receivers: [{channel: pager, when: {severity: critical}}, {channel: chat}]}
  search:
    receivers:
      - {channel: pager, when: {severity: critical}, continue: true}
      - {channel: chat, when: {environment: [production, "stag*"]}}
  quiet: {receivers: [{channel: chat, when: {environment: nowhere}}]}
  plain: {}
channels: {pager: {log: {}}, chat: {log: {}}}
rules:
  - {path: /billing/, owner: payments, criticality: high}
  - {path: /search/, owner: search}
  - {path: /quiet/, owner: quiet}
  - {path: /plain/, owner: plain}
  - {path: /both/, owners: [payments, search], notify: all}
"""
ONCE = "policy: {notify: {repeat_interval: 0s}}"
RULES = the_rules(TEXT + ONCE)
GROUP = Group(
    id="0" * 16,
    project="1",
    fingerprint="v1:x",
    title="KeyError: x",
    culprit="billing/tax.py",
    team="payments",
    level="error",
    first_seen=NOW,
    last_seen=NOW,
    times_seen=1,
)
LONG_AGO = NOW - timedelta(days=9)


def routed(event: Event, group: Group = GROUP, rules: Rules = RULES) -> Routing:
    decided = decide(event, rules)
    return route(
        decided.event, decided.ownership, group, rules=rules, public_url="http://here", now=NOW
    )


def knowing(*audiences: Audience, **more: object) -> Group:
    return msgspec.structs.replace(GROUP, audiences=audiences, **more)


def told(team: str | None, environment: str = "production", sequence: int = 0) -> Audience:
    return Audience(
        team=team,
        environment=environment,
        times_seen=3,
        sequence=sequence,
        last_notified_at=LONG_AGO,
        last_reason="first_seen",
    )


def at(sequence: int) -> Rules:
    return msgspec.structs.replace(RULES, sequence=sequence)


def test_what_is_new_is_told_with_its_reason() -> None:
    routing = routed(raised_in("billing/tax.py"))
    (told,) = routing.notifications
    assert (routing.outcome, told.reason, told.team) == ("notified", "first_seen", "payments")
    assert told.why == "billing/tax.py — path: /billing/ (rules.yaml:12)"
    assert told.permalink == "http://here/groups/0000000000000000"


def test_what_was_told_is_grouped() -> None:
    routing = routed(raised_in("billing/tax.py"), knowing(told("payments")))
    assert (routing.outcome, routing.notifications) == ("grouped", ())
    assert routing.audiences[0].times_seen == 4


def test_an_error_known_from_staging_is_news_in_production() -> None:
    assert (
        routed(raised_in("billing/x.py"), knowing(told("payments", "staging"))).outcome
        == "notified"
    )


@pytest.mark.parametrize(
    ("resolved", "reason"),
    [
        (LONG_AGO + timedelta(days=1), "regression"),
        (LONG_AGO - timedelta(days=1), None),
        (NOW + timedelta(hours=1), None),
    ],
    ids=["since it was told", "before it was told", "after the event came"],
)
def test_what_comes_again_after_it_was_resolved_is_a_regression(
    resolved: object, reason: Reason | None
) -> None:
    routing = routed(raised_in("billing/x.py"), knowing(told("payments"), resolved_at=resolved))
    assert [one.reason for one in routing.notifications] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("before", "sequence", "reason"),
    [
        ([told("search", sequence=1)], 2, "owner_changed"),
        ([told("search", sequence=1)], 1, "first_seen"),
        ([told("search", "staging", sequence=1)], 2, "first_seen"),
        ([Audience(team="search", environment="production", sequence=1)], 2, "first_seen"),
        ([told("search", sequence=2), told("payments", sequence=1)], 3, "owner_changed"),
        ([told("search", sequence=1), told("payments", sequence=2)], 3, None),
        ([told("search", sequence=3), told("payments", sequence=1)], 2, None),
    ],
    ids=[
        "a newer revision gave it to us",
        "the same revision has two owners for it",
        "another environment's owner is no news",
        "the former owner was never told",
        "it comes back to us",
        "it was ours already",
        "an older revision decided this event",
    ],
)
def test_a_team_that_takes_over_is_told_what_its_predecessor_knew(
    before: list[Audience], sequence: int, reason: Reason | None
) -> None:
    routing = routed(raised_in("billing/x.py"), knowing(*before), at(sequence))
    assert [one.reason for one in routing.notifications] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("event", "channels"),
    [
        (raised_in("billing/x.py"), ["pager"]),
        (raised_in("billing/x.py", environment="staging"), ["chat"]),
        (raised_in("search/x.py"), ["chat"]),
        (raised_in("search/x.py", level="fatal"), ["pager", "chat"]),
        (raised_in("search/x.py", environment="dev"), []),
        (raised_in("plain/x.py"), ["log"]),
        (raised_in("both/x.py"), ["chat", "chat"]),
    ],
    ids=[
        "the first that fits",
        "another where it does not fit",
        "a condition on the environment",
        "continue goes on",
        "none fits",
        "a team that names none has the fallback",
        "all owners where the rule says so",
    ],
)
def test_receivers_are_chosen_by_severity_and_environment(
    event: Event, channels: list[str]
) -> None:
    assert [one.receiver for one in routed(event).notifications] == channels


def test_no_receiver_is_said_and_remembered_as_not_told() -> None:
    routing = routed(raised_in("quiet/x.py"))
    assert routing.outcome == "no_receiver"
    assert routing.audiences[0].last_notified_at is None


def test_what_nobody_owns_is_unowned_even_when_its_receiver_is_told() -> None:
    rules = the_rules("unowned: {receivers: [{channel: log}]}")
    assert routed(raised_in("x.py")).outcome == "unowned"
    routing = routed(raised_in("x.py"), rules=rules)
    assert (routing.outcome, [one.receiver for one in routing.notifications]) == (
        "unowned",
        ["log"],
    )


def test_observing_sends_nothing() -> None:
    routing = routed(raised_in("billing/x.py"), rules=the_rules(TEXT + "policy: {mode: observe}"))
    assert (routing.outcome, routing.notifications) == ("observed", ())


def test_an_ignored_group_is_not_told() -> None:
    assert routed(raised_in("billing/x.py"), knowing(status="ignored")).outcome == "ignored"


@pytest.mark.parametrize("reason", ["first_seen", "regression", "owner_changed"])
def test_a_reason_can_be_switched_off(reason: str) -> None:
    rules = the_rules(TEXT + f"policy: {{notify: {{{reason}: false, repeat_interval: 0s}}}}")
    groups = {
        "first_seen": GROUP,
        "regression": knowing(told("payments"), resolved_at=NOW - timedelta(days=1)),
        "owner_changed": knowing(told("search", sequence=-1), told("payments", sequence=-2)),
    }
    assert routed(raised_in("billing/x.py"), groups[reason], rules).outcome == "grouped"
