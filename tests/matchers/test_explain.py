"""Every frame: who would have owned it, and why it did not decide. And what would make it ours."""

import pytest

from matchers.engine import match
from matchers.event import Event
from matchers.explain import survey
from matchers.whynot import why_not
from tests.builders import an_event, raised_in, the_rules

RULES = the_rules(
    """
teams: {payments: {}, web: {}, platform: {}, dba: {}, ghosts: {}}
overrides: [{exception: "psycopg.*", owner: dba}]
rules:
  - {path: "*.py", owner: web}
  - {path: /billing/, owner: payments}
  - {path: /lib/, owner: platform, transparent: true}
  - {path: /gen/, unowned: true}
fallbacks: [{logger: "billing.*", owner: payments}]
default: web
"""
).ruleset
NOT_OURS = {"path": "x/site-packages/a.py"}


def told(event: Event) -> list[tuple[str | None, str, str]]:
    return [
        (one.frame.path, one.verdict, one.why) for one in survey(event, RULES, match(event, RULES))
    ]


def test_every_frame_has_its_owner_and_why_it_did_not_decide() -> None:
    event = an_event(
        frames=["gen/a.py", "web/a.py", NOT_OURS, "billing/tax.py", "lib/retry.py", "none.rb"]
    )
    assert told(event) == [
        ("none.rb", "no_rule", "no rule matches"),
        ("lib/retry.py", "transparent", "shared code: passed on"),
        ("billing/tax.py", "owned", "decides"),
        ("x/site-packages/a.py", "not_in_app", "not our own code"),
        ("web/a.py", "owned", "a frame nearer the raise decided"),
        ("gen/a.py", "unowned", "a frame nearer the raise decided"),
    ]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (raised_in("web/a.py", tags={"owner": "dba"}), "not asked: the event names its owner"),
        (
            an_event(exceptions=[{"type": "psycopg.Error", "frames": ["web/a.py"]}]),
            "not asked: an override decided",
        ),
        (raised_in("web/a.py", "gen/a.py"), "the walk had ended before it"),
        (raised_in("lib/a.rb"), "decides: only shared code is owned"),
        (an_event(frames=[NOT_OURS]), "decides: no frame of our own has an owner"),
    ],
)
def test_a_frame_that_was_not_asked_says_why(event: Event, why: str) -> None:
    assert told(event)[-1][2] == why


OTHERS = {
    "a frame decided": (raised_in("web/a.py", "billing/tax.py"), "rules", "path: /billing/tax.py"),
    "shared code decided": (raised_in("lib/a.rb"), "rules", "path: /lib/a.rb"),
    "unowned on purpose": (raised_in("gen/a.py"), "rules", "path: /gen/a.py"),
    "a path with globs in it": (raised_in("app/[id] *.py"), "rules", r'path: "/app/[id]\\ \\*.py"'),
    "an override decided": (
        an_event(exceptions=[{"type": "psycopg.Error", "frames": ["web/a.py"]}]),
        "overrides",
        "exception: psycopg.Error",
    ),
    "a fallback decided": (an_event(logger="billing.x"), "fallbacks", "logger: billing.x"),
    "the default decided": (
        an_event(message='say "hi" to C:\\x'),
        "fallbacks",
        'message: "say \\"hi\\" to C:\\\\x"',
    ),
    "a tag decided": (raised_in("web/a.py", tags={"owner": "web"}), "tags", "owner: ghosts"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_rule_that_would_have_made_it_ours_does_so_when_it_is_written(name: str) -> None:
    event, section, text = OTHERS[name]
    proposal = why_not(event, RULES, "ghosts").proposal
    assert proposal is not None
    assert (proposal.section, text in proposal.text) == (section, True)
    if section != "tags":
        alone = the_rules(f"teams: {{ghosts: {{}}}}\n{section}:\n  {proposal.text}\n").ruleset
        assert match(event, alone).owners == ("ghosts",)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "on",
        "~",
        "a: b",
        "*a",
        "#c",
        'say "hi"',
        "two\nlines",
        "tab\t",
        "\x85",
        "\u2028",
        "🌊",
    ],
)
@pytest.mark.parametrize("team", ["ghosts", "on", "123", "2026-11-23"])
def test_a_proposal_can_be_pasted_whatever_it_names(team: str, text: str) -> None:
    teams = f"teams: {{web: {{}}, '{team}': {{}}}}\ndefault: web\n"
    for event in (an_event(message=text), raised_in(f"app/{text}/x y.py")):
        proposal = why_not(event, the_rules(teams).ruleset, team).proposal
        assert proposal is not None
        pasted = the_rules(f"{teams}{proposal.section}:\n  {proposal.text}\n").ruleset
        assert match(event, pasted).owners == (team,)


def test_where_no_path_could_do_it_an_override_does() -> None:
    rules = 'teams: {a: {}, b: {}}\nrules: [{module: "billing.*", owner: a}]\n'
    event = an_event(exceptions=[{"type": "E", "frames": [{"module": "billing.x"}]}])
    proposal = why_not(event, the_rules(rules).ruleset, "b").proposal
    assert proposal is not None
    pasted = the_rules(f"{rules}{proposal.section}:\n  {proposal.text}\n").ruleset
    assert match(event, pasted).owners == ("b",)


def test_a_proposal_stands_behind_the_last_entry_of_its_section() -> None:
    proposal = why_not(raised_in("billing/tax.py"), RULES, "web").proposal
    assert proposal is not None
    assert str(proposal.after) == "rules.yaml:8"


def test_rules_of_ours_that_lost_say_to_what() -> None:
    found = why_not(raised_in("web/a.py", "billing/tax.py"), RULES, "web")
    assert [(lost.path, str(lost.rule.origin), lost.why) for lost in found.lost] == [
        ("billing/tax.py", "rules.yaml:5", "beaten by rules.yaml:6"),
        ("web/a.py", "rules.yaml:5", "a frame nearer the raise decided"),
    ]


def test_what_is_ours_needs_no_rule() -> None:
    assert why_not(raised_in("billing/tax.py"), RULES, "payments").proposal is None
