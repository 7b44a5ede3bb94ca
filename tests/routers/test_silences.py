"""Silences: what they hide, and what is no silence."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import yaml

from matchers.engine import complete, match
from matchers.event import ExceptionValue, Frame
from routers.channels.log import Log
from routers.group import Audience, Group
from routers.postable import SilenceError, read_silence
from routers.route import Routing, route
from routers.rules import Rules
from routers.silence_warning import LastHidden, warnings
from routers.silences import LABELS, Hidden, Matcher, Silence, Subject, hiding
from tests.builders import NOW, an_event, raised_in, the_rules
from tests.documents import ROOT

CASES: dict[str, Any] = yaml.safe_load((ROOT / "tests/data/silences.yaml").read_text())
HOUR = timedelta(hours=1)
RULES = the_rules("""
projects: {1: {slug: shop}}
teams: {payments: {}}
rules: [{path: /billing/, owner: payments, feature: invoicing, criticality: high}]
""")
EVENT = complete(
    msgspec.structs.replace(
        an_event(
            environment="production",
            logger="billing.tax",
            platform="python",
            release="2026.11.1",
            server_name="web-3",
            transaction="/checkout",
        ),
        exceptions=(
            ExceptionValue(type="ValueError", source="__cause__"),
            ExceptionValue(type="KeyError", frames=(Frame(filename="billing/tax.py"),)),
        ),
    ),
    RULES.ruleset,
)
GROUP = Group(
    id="0123456789abcdef",
    project="1",
    fingerprint="v1:x",
    title="KeyError: 'DE'",
    culprit="billing/tax.py in rate",
    team="payments",
    level="error",
    first_seen=NOW,
    last_seen=NOW,
)
SUBJECT = Subject(EVENT, match(EVENT, RULES.ruleset), GROUP, "critical")
POSTED: dict[str, Any] = {
    "matchers": [{"name": "team", "value": "payments"}],
    "startsAt": "2026-11-23T03:00:00Z",
    "endsAt": "2026-11-23T05:00:00+01:00",
    "createdBy": "ada",
    "comment": "the bank is down",
}


def a_silence(*matchers: Matcher) -> Silence:
    return Silence(
        id="s1",
        matchers=matchers or (Matcher("team", "payments"),),
        starts_at=NOW,
        ends_at=NOW + HOUR,
        created_by="ada",
        comment="the bank is down",
    )


def posted(**over: Any) -> tuple[Silence, str | None]:
    return read_silence(json.dumps(POSTED | over).encode(), id="s1", now=NOW)


@pytest.mark.parametrize(
    "case",
    CASES["labels"] + CASES["matchers"],
    ids=lambda case: " ".join("".join(map(str, one.values())) for one in case["matchers"]),
)
def test_a_silence_hides_what_all_its_matchers_fit(case: dict[str, Any]) -> None:
    silence = a_silence(*(msgspec.convert(one, Matcher) for one in case["matchers"]))
    assert bool(hiding([silence], SUBJECT, "payments")) is case["hides"]


def test_every_label_has_a_case_in_which_it_is_there() -> None:
    named = {case["matchers"][0]["name"] for case in CASES["labels"] if case["hides"]}
    assert named == LABELS.keys()


def test_a_label_that_is_not_there_is_empty() -> None:
    nobodys = a_silence(Matcher("team", ""), Matcher("exception", "KeyError"))
    assert hiding([nobodys], SUBJECT, None) != ()
    assert hiding([nobodys], SUBJECT, "payments") == ()


def test_every_silence_that_holds_is_named() -> None:
    silences = [a_silence(), a_silence(Matcher("team", "search")), a_silence()]
    assert len(hiding(silences, SUBJECT, "payments")) == 2


@pytest.mark.parametrize(
    ("after", "state"),
    [(-timedelta(seconds=1), "pending"), (timedelta(), "active"), (HOUR, "expired")],
)
def test_a_silence_holds_from_its_start_until_just_before_its_end(
    after: timedelta, state: str
) -> None:
    assert a_silence().state(NOW + after) == state


def test_what_is_posted_is_read_as_alertmanager_has_it() -> None:
    silence, replaced = posted(
        id="s0", matchers=[{"name": "title", "value": ".*x", "isRegex": True}]
    )
    assert replaced == "s0"
    assert silence.matchers == (Matcher("title", ".*x", is_regex=True, is_equal=True),)
    assert (silence.starts_at, silence.ends_at) == (NOW, NOW + HOUR)
    assert (silence.created_by, silence.comment) == ("ada", "the bank is down")


@pytest.mark.parametrize("starts", [None, "2020-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_silence_that_would_have_started_starts_now(starts: str | None) -> None:
    assert posted(startsAt=starts)[0].starts_at == NOW


def test_what_get_shows_can_be_posted_again() -> None:
    shown = {"status": {"state": "active"}, "updatedAt": "x", "hidden": 3, "hiddenAt": None}
    assert posted(**shown)[1] is None


@pytest.mark.parametrize(
    ("over", "place", "says"),
    [
        ({"matchers": []}, "matchers", "at least 1"),
        ({"matchers": [POSTED["matchers"][0]] * 21}, "matchers", "at most 20"),
        ({"matchers": [{"name": "tem", "value": "x"}]}, "matchers.0.name", 'mean "team"'),
        ({"matchers": [{"name": "team"}]}, "matchers.0.value", "required"),
        ({"matchers": [{"name": "team", "value": 1}]}, "matchers.0.value", "string"),
        ({"matchers": [{"name": "team", "value": "x" * 2001}]}, "matchers.0.value", "at most"),
        (
            {"matchers": [{"name": "team", "value": "(", "isRegex": True}]},
            "matchers.0.value",
            "not closed",
        ),
        ({"matchers": [{"name": "team", "value": "", "isRegex": True}]}, "matchers", "something"),
        ({"matchers": [{"name": "team", "value": "x", "isEqual": False}]}, "matchers", "something"),
        ({"matchers": [{"name": "team", "value": "x", "isregex": True}]}, "matchers.0.isregex", ""),
        ({"createdBy": " "}, "createdBy", "at least 1"),
        ({"createdBy": None}, "createdBy", "string"),
        ({"comment": ""}, "comment", "at least 1"),
        ({"comment": "x" * 2001}, "comment", "at most"),
        ({"endsAt": "2026-11-23T03:00:00Z"}, "endsAt", "past"),
        ({"startsAt": "2026-11-24T03:00:00Z"}, "endsAt", "before it starts"),
        ({"endsAt": "2027-11-25T03:00:00Z"}, "endsAt", "longer than a year"),
        (
            {"startsAt": "2029-01-01T00:00:00Z", "endsAt": "2029-01-02T00:00:00Z"},
            "startsAt",
            "year",
        ),
        ({"endsAt": "9999-12-31T23:59:59-14:00"}, "endsAt", "longer than a year"),
        ({"endsAt": "2026-11-23T05:00:00"}, "endsAt", "timezone"),
        ({"endsAt": "soon"}, "endsAt", "datetime"),
        ({"until": "soon"}, "until", "not permitted"),
    ],
)
def test_what_is_no_silence_is_said_with_its_place(
    over: dict[str, Any], place: str, says: str
) -> None:
    with pytest.raises(SilenceError) as refused:
        posted(**over)
    ((where, said),) = refused.value.problems
    assert where == place
    assert says in said


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null", b'{"matchers": 1e999}'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(SilenceError):
        read_silence(body, id="s1", now=NOW)


ROUTED = the_rules("""
teams: {payments: {receivers: [{channel: log}]}, search: {receivers: [{channel: log}]}}
rules:
  - {path: /billing/, owner: payments}
  - {path: /both/, owners: [payments, search], notify: all}
unowned: {receivers: [{channel: log}]}
""")


def routed(path: str, *silences: Silence, group: Group = GROUP, rules: Rules = ROUTED) -> Routing:
    event = raised_in(path)
    return route(
        event,
        match(event, rules.ruleset),
        group,
        rules=rules,
        public_url="http://here",
        now=NOW,
        silences=silences,
    )


def told(team: str, sequence: int) -> Audience:
    return Audience(
        team=team, environment="", times_seen=3, sequence=sequence, last_notified_at=NOW - HOUR
    )


def test_a_silenced_team_is_not_told_and_not_marked_as_told() -> None:
    routing = routed("billing/tax.py", a_silence())
    (audience,) = routing.audiences
    assert (routing.outcome, routing.notifications) == ("silenced", ())
    assert (audience.times_seen, audience.last_notified_at) == (1, None)
    assert routing.hidden == (Hidden("s1", "payments"),)


def test_a_silence_of_one_owner_leaves_the_other_told() -> None:
    routing = routed("both/x.py", a_silence(Matcher("team", "payments")))
    assert routing.outcome == "notified"
    assert [one.team for one in routing.notifications] == ["search"]


def test_a_silence_hides_nothing_from_who_knows_already() -> None:
    group = msgspec.structs.replace(GROUP, audiences=(told("payments", 0),))
    routing = routed("billing/tax.py", a_silence(), group=group)
    assert (routing.outcome, routing.hidden) == ("grouped", ())


def test_what_nobody_owns_stays_unowned_and_is_not_told() -> None:
    routing = routed("x.py", a_silence(Matcher("group", GROUP.id)))
    assert (routing.outcome, routing.notifications) == ("unowned", ())
    assert routing.hidden == (Hidden("s1", None),)


def test_a_team_that_took_over_during_a_silence_is_told_so_after_it() -> None:
    group = msgspec.structs.replace(GROUP, audiences=(told("search", 2), told("payments", 1)))
    rules = msgspec.structs.replace(ROUTED, sequence=3)
    (during,) = routed("billing/tax.py", a_silence(), group=group, rules=rules).audiences
    group = msgspec.structs.replace(GROUP, audiences=(told("search", 2), during))
    (after,) = routed("billing/tax.py", group=group, rules=rules).notifications
    assert after.reason == "owner_changed"


class Pager(Log):
    """Stands for what opens incidents."""

    merges = False


WARNED = the_rules("""
teams:
  payments:
    receivers:
      - {channel: pager, continue: true}
      - {channel: chat, when: {severity: info, reason: digest}}
channels: {pager: {log: {}}, chat: {log: {}}}
""")
LAST = LastHidden(
    event=EVENT, ownership=SUBJECT.ownership, group=GROUP, team="payments", hidden=1200
)


def test_a_warning_goes_where_the_team_wants_digests_and_opens_no_incident() -> None:
    rules = msgspec.structs.replace(WARNED, channels={"pager": Pager(), "chat": Log()})
    (warned,) = warnings(a_silence(), LAST, rules, public_url="http://here", now=NOW)
    assert (warned.receiver, warned.reason, warned.severity) == ("chat", "digest", "info")
    assert warned.title == "A silence ends in 60 min and still hides KeyError: 'DE'"
    assert warned.why == "hid 1,200 by ada: the bank is down"
