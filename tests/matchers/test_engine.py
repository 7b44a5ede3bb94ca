"""The trail of a decision, and what the conformance cases leave open."""

from sys import getsizeof

import pytest

from matchers.chain import walked_exceptions
from matchers.engine import match
from matchers.event import Event, Frame
from matchers.ownership import Ownership, decision, why
from matchers.ruleset import PLACES_ROOM
from tests.builders import an_event, raised_in, the_rules, thrown

RULES = the_rules(
    """
teams: {payments: {}, web: {}, platform: {}, ghost: {aliases: ["@acme/ghost"]}}
rules:
  - {path: /app/, owner: web}
  - {path: /billing/, owner: payments}
  - {path: /lib/, owner: platform, transparent: true}
  - {path: /gen/, unowned: true}
  - {path: /both/, owners: [payments, web], notify: all}
fallbacks: [{logger: "billing.*", owner: payments}]
"""
)


def decided(event: Event) -> Ownership:
    return match(event, RULES.ruleset)


def verdicts(ownership: Ownership) -> list[tuple[str | None, str]]:
    return [(walked.frame.path, walked.verdict) for walked in ownership.trail]


def test_the_trail_holds_frames_in_the_order_walked_up_to_the_one_that_decided() -> None:
    found = decided(raised_in("app/never.py", "billing/tax.py", "lib/retry.py", "other/x.py"))
    assert verdicts(found) == [
        ("other/x.py", "no_rule"),
        ("lib/retry.py", "transparent"),
        ("billing/tax.py", "owned"),
    ]


def test_a_third_party_frame_walked_twice_stands_once_with_its_last_verdict() -> None:
    found = decided(an_event(frames=["x.py", {"path": "billing/vendored.py", "in_app": False}]))
    assert found.step == "third_party"
    assert verdicts(found) == [("x.py", "no_rule"), ("billing/vendored.py", "owned")]


def test_rules_that_matched_the_frame_and_lost_are_beaten_nearest_first() -> None:
    rules = the_rules(
        """
teams: {a: {}, b: {}, c: {}}
rules: [{path: "*", owner: a}, {path: /x/, owner: b}, {path: "*.py", owner: c}]
"""
    )
    (walked,) = match(raised_in("x/y.py"), rules.ruleset).trail
    assert [rule.owners for rule in walked.beaten] == [("b",), ("a",)]


def test_every_step_passed_over_says_why() -> None:
    found = decided(raised_in("gen/stub.py"))
    assert [(passed.step, passed.reason) for passed in found.steps] == [
        ("explicit", "the event has no tag owner or team"),
        ("override", "no override matches the event"),
        ("frame", "gen/stub.py is unowned on purpose (rules.yaml:7)"),
        ("transparent", "no shared code was passed"),
        ("third_party", "the walk ended at rules.yaml:7"),
        ("fallback", "no fallback matches the event"),
        ("default", "the rules file names no default"),
    ]


def test_unowned_on_purpose_forgets_the_shared_code_before_it() -> None:
    assert decided(raised_in("gen/stub.py", "lib/retry.py")).step == "unowned"


def test_an_unknown_explicit_owner_does_not_hide_a_known_one_listed_later() -> None:
    found = decided(an_event(tags={"owner": "nobody", "team": "@acme/ghost"}))
    assert (found.owners, found.step) == (("ghost",), "explicit")
    assert [warned.code for warned in found.warnings] == ["unknown_explicit_owner"]


@pytest.mark.parametrize(
    ("path", "told"), [("both/x.py", ("payments", "web")), ("billing/x.py", ("payments",))]
)
def test_only_the_primary_owner_is_told_unless_the_rule_says_all(
    path: str, told: tuple[str, ...]
) -> None:
    assert decided(raised_in(path)).told == told


@pytest.mark.parametrize(
    ("sources", "order"),
    [
        ([None], [0]),
        ([None, None, None], [0, 1, 2]),
        (["__cause__", "__context__", None], [2, 0, 1]),
        (["__context__", "__cause__", "__context__", None], [3, 1, 2, 0]),
        (["__cause__", "cause", "__context__"], [0, 1, 2]),
    ],
)
def test_a_chain_is_cut_behind_each_exception_that_was_only_being_handled(
    sources: list[str | None], order: list[int]
) -> None:
    chain = [thrown("E", source=source) for source in sources]
    assert walked_exceptions(chain) == order
    assert walked_exceptions(chain, "thrown_first") == list(reversed(range(len(chain))))


def test_why_names_the_frame_the_rule_and_where_it_is_written() -> None:
    event = an_event(frames=[{"path": "billing/tax.py", "lineno": 88, "function": "rate"}])
    assert why(decided(event)) == "billing/tax.py:88 in rate — path: /billing/ (rules.yaml:5)"


def test_why_says_that_no_frame_decided() -> None:
    found = decided(an_event(logger="billing.cards"))
    assert why(found) == "no frame decided — fallback logger: billing.* (rules.yaml:9)"


def test_the_decision_in_json_has_the_contracts_keys() -> None:
    shown = decision(decided(raised_in("billing/tax.py")), ["payments-slack"])
    assert shown.keys() >= {
        "owners",
        "step",
        "frame",
        "rule",
        "feature",
        "criticality",
        "receivers",
        "warnings",
        "trail",
        "steps",
        "revision",
    }
    assert shown["rule"] | {"owners": 0} == {
        "file": "rules.yaml",
        "line": 5,
        "text": "path: /billing/",
        "owners": 0,
    }


@pytest.mark.parametrize(
    "event",
    [
        an_event(),
        an_event(frames=[{}]),
        an_event(frames=[{"path": "x" * 70_000}]),
        an_event(frames=[{"path": "\x00\ud800/a.py"}]),
        an_event(exceptions=[{"frames": ["a.py"] * 50}] * 500),
        raised_in(*["lib/deep.py"] * 10_000),
    ],
    ids=["empty", "null frame", "64 KB", "surrogate", "500 exceptions", "10,000 frames"],
)
def test_any_event_is_decided(event: Event) -> None:
    assert decided(event).step in ("transparent", "unowned")


def test_a_rule_without_a_frame_condition_matches_no_frame_that_is_not_ours() -> None:
    rules = the_rules(
        "teams: {a: {}, b: {}}\nrules: [{environment: production, owner: a}]\ndefault: b"
    )
    theirs = an_event(frames=[{"path": "site-packages/x.py"}], environment="production")
    ours = an_event(frames=["x.py"], environment="production")
    assert [match(event, rules.ruleset).step for event in (theirs, ours)] == ["default", "frame"]


def test_what_is_remembered_of_frames_is_bounded_in_bytes() -> None:
    ruleset = the_rules("teams: {a: {}}\nrules: [{path: '*.py', owner: a}]").ruleset
    for number in range(5000):
        frame = Frame(filename=f"{number}" + "🌊" * 4000, module="m" * 500)
        ruleset.place(frame, None, "1", believe=True)
    assert sum(getsizeof(key[1]) for key in ruleset._places) < PLACES_ROOM
