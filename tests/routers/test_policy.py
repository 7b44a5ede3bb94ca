"""`policy:` and `when:`: how bad it is, who is told when, and when nobody is."""

from datetime import datetime, timedelta

import msgspec
import pytest

from matchers.event import Event, ExceptionValue
from routers.group import Audience, Group
from routers.route import Routing, route
from routers.rules import Rules
from service.pipeline import decide
from tests.builders import NOW, loaded, raised_in, the_rules

BASE = """
teams:
  payments: {receivers: [{channel: log}]}
  search: {mode: observe, receivers: [{channel: log}]}
rules:
  - {path: /billing/, owner: payments, criticality: high, feature: invoicing}
  - {path: /search/, owner: search}
"""
TABLE = """
policy:
  severity:
    critical:
      - {level: fatal, environment: "prod*"}
      - {criticality: high, handled: false}
    warning: {environment: [staging, "dev*"]}
    info: {level: [debug, info]}
"""
GROUP = Group(
    id="0" * 16,
    project="1",
    fingerprint="v1:x",
    title="KeyError: x",
    culprit="",
    team="payments",
    level="error",
    first_seen=NOW,
    last_seen=NOW,
    times_seen=1,
)


def an_error(path: str = "billing/tax.py", handled: bool | None = None, **fields: object) -> Event:
    event = raised_in(path)
    thrown = msgspec.structs.replace(event.exceptions[-1], handled=handled)
    return msgspec.structs.replace(event, exceptions=(thrown,), **fields)


def routed(event: Event, rules: Rules, group: Group = GROUP, now: datetime = NOW) -> Routing:
    decided = decide(event, rules)
    return route(decided.event, decided.ownership, group, rules=rules, public_url="", now=now)


def told_before(times: int, hours: float = 1, threshold: int = 0) -> Group:
    audience = Audience(
        team="payments",
        environment="production",
        times_seen=times,
        last_notified_at=NOW - timedelta(hours=hours),
        last_reason="first_seen",
        threshold=threshold,
    )
    return msgspec.structs.replace(GROUP, audiences=(audience,))


@pytest.mark.parametrize(
    ("event", "severity"),
    [
        (an_error(level="fatal", environment="prod-eu"), "critical"),
        (an_error(level="fatal", environment="staging"), "warning"),
        (an_error(handled=False, environment="staging"), "critical"),
        (an_error(handled=True, environment="staging"), "warning"),
        (an_error(environment="dev-7"), "warning"),
        (an_error(level="debug"), "info"),
        (an_error(), "critical"),  # fits no line: as without a table
        (an_error(level="warning"), "warning"),
    ],
)
def test_the_worst_line_that_fits_is_the_severity(event: Event, severity: str) -> None:
    routing = routed(event, the_rules(BASE + TABLE))
    assert [one.severity for one in routing.notifications] == [severity]


@pytest.mark.parametrize(
    ("group", "reason", "threshold"),
    [
        (told_before(8), None, 0),
        (told_before(9), "escalation", 10),
        (told_before(9, threshold=10), None, 0),
        (told_before(150), "escalation", 100),
        (told_before(150, threshold=10), "escalation", 100),
        (told_before(150, threshold=100), None, 0),
        (told_before(8, hours=23.9), None, 0),
        (told_before(8, hours=24), "repeat", 0),
        (told_before(9, hours=99), "escalation", 10),
    ],
)
def test_growth_is_told_once_and_what_goes_on_daily(
    group: Group, reason: str | None, threshold: int
) -> None:
    rules = the_rules(BASE + "policy: {notify: {escalation: [100, 10, 100]}}")
    told = [(one.reason, one.threshold) for one in routed(an_error(), rules, group).notifications]
    assert told == ([(reason, threshold)] if reason else [])


def test_an_audience_remembers_how_high_it_grew() -> None:
    rules = the_rules(BASE + "policy: {notify: {escalation: [10, 100]}}")
    assert routed(an_error(), rules, told_before(99)).audiences[0].threshold == 100


@pytest.mark.parametrize("off", ["0s", "0"])
def test_repeating_can_be_switched_off(off: str) -> None:
    rules = the_rules(BASE + f"policy: {{notify: {{repeat_interval: {off!r}}}}}")
    assert routed(an_error(), rules, told_before(1, hours=9999)).outcome == "grouped"


@pytest.mark.parametrize(("level", "outcome"), [("info", "below_level"), ("warning", "notified")])
def test_what_is_below_the_policys_level_is_not_told(level: str, outcome: str) -> None:
    rules = the_rules(BASE + "policy: {notify: {level: warning}}")
    assert routed(an_error(level=level), rules).outcome == outcome


def test_a_team_may_only_observe() -> None:
    rules = the_rules(BASE)
    assert routed(an_error("search/x.py"), rules).outcome == "observed"
    assert routed(an_error(), rules).outcome == "notified"


def test_a_team_may_be_told_while_the_others_observe() -> None:
    text = BASE.replace("mode: observe", "mode: notify") + "policy: {mode: observe}"
    assert routed(an_error("search/x.py"), the_rules(text)).outcome == "notified"
    assert routed(an_error(), the_rules(text)).outcome == "observed"


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ("reason: first_seen", True),
        ("reason: [repeat, escalation]", False),
        ("level: error", True),
        ("level: [fatal]", False),
        ("feature: invoic*", True),
        ("feature: payments", False),
        ('project: "1"', True),
        ("project: shop", True),
        ("project: other", False),
        ("severity: critical, environment: prod*", True),
        ("severity: critical, environment: staging", False),
    ],
)
def test_a_receiver_is_asked_when_everything_fits(when: str, fits: bool) -> None:
    text = BASE.replace("[{channel: log}]", f"[{{channel: log, when: {{{when}}}}}]", 1)
    rules = the_rules(text + "projects: {1: {slug: shop}}")
    assert routed(an_error(), rules).outcome == ("notified" if fits else "no_receiver")


HOURS = """
channels: {day: {log: {}}, night: {log: {}}}
policy:
  mute_time_intervals:
    - name: office
      time_intervals:
        - location: Europe/Berlin
          weekdays: ["monday:friday"]
          times: [{start_time: "09:00", end_time: "17:00"}]
"""
DAY, EVENING = NOW.replace(hour=11), NOW.replace(hour=20)  # a Monday, UTC


@pytest.mark.parametrize(("at", "channel"), [(DAY, "day"), (EVENING, "night")])
def test_the_next_receiver_is_told_while_the_first_is_asleep(at: datetime, channel: str) -> None:
    day = "{channel: day, when: {active_time_intervals: office}}, {channel: night}"
    rules = the_rules(BASE.replace("{channel: log}", day, 1) + HOURS)
    assert [one.receiver for one in routed(an_error(), rules, now=at).notifications] == [channel]


def test_what_is_muted_is_told_by_the_next_event_after_it() -> None:
    quiet = "{channel: day, when: {mute_time_intervals: office}}"
    rules = the_rules(BASE.replace("{channel: log}", quiet, 1) + HOURS)
    muted = routed(an_error(), rules, now=DAY)
    assert (muted.outcome, muted.notifications) == ("muted_time", ())
    group = msgspec.structs.replace(GROUP, audiences=muted.audiences)
    later = routed(an_error(), rules, group, EVENING)
    assert [one.reason for one in later.notifications] == ["first_seen"]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("{notify: {escalation: [1]}}", "2 at the least"),
        ("{notify: {repeat_interval: daily}}", "expected a duration"),
        ("{notify: {repeat_interval: 24}}", "expected a duration"),
        ("{severity: {worst: {level: fatal}}}", 'unknown key "worst"'),
        ("{severity: {critical: {level: awful}}}", "fatal"),
        ("{mute_time_intervals: [{name: x, time_intervals: [{weekdays: [mnday]}]}]}", "mnday"),
        (
            "\n  mute_time_intervals:\n"
            "    - {name: x, time_intervals: [{}]}\n    - {name: x, time_intervals: [{}]}",
            'is called "x" too',
        ),
    ],
)
def test_a_mistake_is_said_in_its_place(policy: str, said: str) -> None:
    (problem,) = loaded(BASE + f"policy: {policy}").problems
    assert said in problem.message
    assert problem.origin.line > 1


def test_a_time_interval_that_nobody_defined_is_named() -> None:
    asleep = "{channel: log, when: {mute_time_intervals: ofice}}"
    (problem,) = loaded(BASE.replace("{channel: log}", asleep, 1) + HOURS).problems
    assert problem.message == 'unknown time interval "ofice" — did you mean "office"?'


def test_what_was_not_said_to_be_handled_is_neither() -> None:
    event = msgspec.structs.replace(an_error(), exceptions=(ExceptionValue(type="X"),))
    rules = the_rules("default: x\nteams: {x: {}}\npolicy: {severity: {info: {handled: true}}}")
    assert [one.severity for one in routed(event, rules).notifications] == ["error"]
