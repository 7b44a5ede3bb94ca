"""A channel's own words: what its templates may say, what they may not, and what that costs."""

import re
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from routers.channels.base import Channel, Receipt
from routers.errors import WordingError
from routers.jinja import TEMPLATE_LIMIT, compile_template
from routers.message import BODY_LIMIT
from routers.notification import Links, Written
from routers.wording import FACTS, Wording, facts_of, tell
from tests.alerts import EVENT, NOTIFICATION, OWNERSHIP, an_alert, crowd
from tests.builders import loaded, the_rules

PLACE, LISTED = "server/app/billing/tax.py:88 in rate", "1 queue=mail;2 region=eu;"
HUGE = "x" * 200_000
OWNED = OWNERSHIP | {"feature": "invoicing", "criticality": "high"}
TAGGED = msgspec.structs.replace(EVENT, tags={"queue": "mail", "region": "eu"})


def made(template: str, **over: Any) -> str:
    """What the template makes of an alert."""
    given: dict[str, Any] = {"ownership": OWNED, "event": TAGGED} | over
    return compile_template(template, FACTS, BODY_LIMIT)(facts_of(an_alert(**given)))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ feature }}: {{ title }}", "invoicing: KeyError: 'DE'"),
        ("{{ headline }}", "New error: KeyError: 'DE'"),
        ("{{ team|upper }} {{ times_seen }} {{ line }}", "PAYMENTS 1200 88"),
        ("{{ path }}:{{ line }} {{ function }}", "server/app/billing/tax.py:88 rate"),
        ("{{ where }}|{{ source_line }}", f"{PLACE}|return RATES[country]"),
        ("{{ rule.file }}:{{ rule.line }}", "rules.yaml:12"),
        ("{{ tags.queue }}{{ tags['region'] }}{{ tags.nothing }}", "maileu"),
        ("{{ links.page }}", NOTIFICATION.permalink),
        ("{{ links.runbook|default('none') }}", "none"),
        ("{% for tag in tags %}{{ loop.index }} {{ tag }}={{ tags[tag] }};{% endfor %}", LISTED),
        ("{% if severity == 'critical' and team in ['payments'] %}!{% else %}?{% endif %}", "!"),
        ("{{ 'many' if times_seen > 1000 else 'few' }}", "many"),
        ("{{ owners|join('+') }}{{ exceptions[0].type }}{{ owners|length }}", "paymentsKeyError1"),
        ("{{ title|truncate(9)|trim|lower|capitalize }}", "Keyerror…"),
        ("{{ tags|first }}{{ tags|last }}", "queueregion"),
        ("{% if feature is defined and feature is not none %}yes{% endif %}", "yes"),
        ("a\n{% if team %}\nb\n{% endif %}\nc{# nothing #}", "a\nb\nc"),
        ("{{ release }}{{ criticality }}", "2026.3.1high"),
        ("{{ owners[7] }}{{ title[0] }}{{ team.upper }}{{ title.__class__.__mro__ }}", ""),
        ("{{ tags.a.b }}", ""),
    ],
)
def test_a_template_names_what_is_known(template: str, text: str) -> None:
    assert made(template) == text


def test_what_is_not_known_is_nothing() -> None:
    template = "".join(f"{{{{ {name} }}}}" for name in ("team", "release", "feature", "path"))
    alert: dict[str, Any] = {"team": None, "release": None, "ownership": {}, "event": None}
    assert made(template, **alert) == ""


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ title", "line 1 of the template: unexpected end of template"),
        ("a\nb {% if %}", "line 2 of the template: "),
        ("{{ titel }}", 'unknown name "titel" — did you mean "title"?'),
        ("{{ range(10) }}", "a call"),
        ("{{ title.format(title) }}", "a call"),
        ("{% for i in [1] %}{% for j in [1] %}{% endfor %}{% endfor %}", "a loop in a loop"),
        ("{% for i in [1] recursive %}{% endfor %}", "`for NAME in LIST`"),
        ("{{ title * 1000000000 }}", "Mul"),
        ("{{ 10 ** 1000000000 }}", "Pow"),
        ("{{ title ~ title }}", "write one behind the other"),
        ("{{ '%9999999999d' % 1 }}", "Mod"),
        ("{% set x = title %}{{ x }}", "`set`"),
        ("{% macro m() %}{% endmacro %}", "a macro"),
        ("{% include 'x' %}", "`include`"),
        ("{% extends 'x' %}", "`extends`"),
        ("{% block x %}{% endblock %}", "a block"),
        ("{% filter upper %}{% endfilter %}", "FilterBlock"),
        ("{{ title[::2] }}", "Slice"),
        ("{{ title|centre(9) }}", 'unknown filter or test "centre"'),
        ("{{ title|center(1000000000) }}", 'unknown filter or test "center"'),
        ("{{ title|truncate(times_seen) }}", "written out"),
        ("{{ self }}{{ _context }}", "unknown name"),
        ("{{ (" * 900, "template"),
        ("{{ " + "(" * 3_000 + "title", "nested too deep"),
        ("{{ " + "not " * 900 + "title }}", "nested too deep"),
        ("{% if team %}" * 60 + "{% endif %}" * 60, "nested too deep"),
        ("x" * (TEMPLATE_LIMIT + 1), "longer than 4,000"),
    ],
)
def test_what_no_template_may_do_is_refused(template: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        compile_template(template, FACTS, BODY_LIMIT)


@pytest.mark.parametrize(
    "template",
    [
        "{{ tags }}",
        "{{ owners }}",
        "{% for one in title %}{{ one }}{% endfor %}{{ title < 7 }}",
        "{{ times_seen|join }}",
    ],
)
def test_a_template_that_fails_says_why(template: str) -> None:
    with pytest.raises(WordingError, match="Error: "):
        made(template)


@pytest.mark.parametrize(
    "template",
    [
        "{% for tag in tags %}" + "{{ title }}" * 350 + "{% endfor %}",
        "{% for tag in tags %}" + "{% if title < tag %}{% endif %}" * 120 + "{% endfor %}",
        "{% for tag in tags %}" + "{{ title|upper|truncate(0) }}" * 130 + "{% endfor %}",
        "{% for tag in tags %}" + "{% if 'y' in title %}{% endif %}" * 120 + "{% endfor %}",
        "{% for tag in tags %}{{ [" + "title," * 600 + "]|join('--')|truncate(0) }}{% endfor %}",
        "{{ title" + "|upper|lower" * 12 + " }}",
    ],
)
def test_the_costliest_template_is_soon_done(template: str) -> None:
    tags = {f"{n} {HUGE}": HUGE for n in range(50)}
    event = msgspec.structs.replace(EVENT, tags=tags)
    began = time.process_time()
    assert len(made(template, event=event, title=HUGE)) <= BODY_LIMIT
    assert time.process_time() - began < 1.0


def test_no_text_is_ever_read_as_a_template() -> None:
    hostile = "{{ 7 }}{% for x in y %}<b>&"
    assert made("{{ title }} {{ tags.x }}", title=hostile).startswith(hostile)


class Remembering(Channel):
    taken: list[Any]

    def send(self, alert: Any, client: httpx.Client) -> Receipt:
        self.taken.append(alert)
        return Receipt("77")


def told(wording: Wording | None, **over: Any) -> tuple[Receipt, Written]:
    channel = Remembering(taken=[])
    with httpx.Client() as client:
        receipt = tell(channel, an_alert(**over), wording, client)
    return receipt, channel.taken[0].written


def worded(text: str) -> Wording | None:
    return the_rules(f"channels: {{x: {{log: {{}}, {text}}}}}").wordings.get("x")


def test_a_channels_own_words_are_told() -> None:
    receipt, written = told(worded('title: "{{ team }}!", body: "Call {{ team }}."'))
    assert (receipt, written) == (Receipt("77"), Written(title="payments!", body="Call payments."))


def test_without_templates_it_is_told_as_ever() -> None:
    assert worded("") is None
    assert told(None) == (Receipt("77"), Written())


def test_a_template_knows_how_many_are_told_besides() -> None:
    assert made("{{ merged }}", others=crowd("KeyError", 3), more=9) == "12"


def test_a_digest_is_told_as_ever() -> None:
    assert told(worded('title: "{{ team }}!"'), reason="digest") == (Receipt("77"), Written())


def test_a_template_that_fails_costs_its_words_not_the_alert() -> None:
    receipt, written = told(worded('title: "fine", body: "{{ tags }}"'))
    assert written == Written()
    assert receipt == Receipt("77", unworded="TypeError: a dict is no text")


def test_no_fact_is_large() -> None:
    over: dict[str, Any] = dict.fromkeys(("title", "why", "culprit", "release"), HUGE)
    tags = {f"{n}": HUGE for n in range(500)}
    event = msgspec.structs.replace(EVENT, tags=tags)
    facts = facts_of(an_alert(**over, event=event, links=Links(runbook="https://x/")))
    assert len(str(facts)) < 40_000


def test_every_field_of_a_notification_has_its_name() -> None:
    ours = {"id", "receiver", "permalink", "closes", "digest"}
    ours |= {"raised_in", "dependency", "spare"}
    assert {*NOTIFICATION.__struct_fields__} - {*FACTS} == ours


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title: '{{ titel }}'", "rules.yaml:2:38: line 1 of the template: unknown name"),
        ("title: ''", "rules.yaml:2:38: expected a template"),
        ("title: [a]", "rules.yaml:2:38: expected a template"),
        ("titel: x", "rules.yaml:2:15: expected one kind of channel"),
    ],
)
def test_a_template_that_does_not_parse_is_a_problem_in_place(text: str, problem: str) -> None:
    (found,) = loaded(f"channels: {{x: {{log: {{}},       {text}}}}}").problems
    assert str(found).startswith(problem)


def test_a_template_is_not_where_secrets_are_put_in() -> None:
    wording = worded('title: "$HOME ${HOME}"')
    assert told(wording)[1].title == "$HOME ${HOME}"


def test_the_page_names_every_fact() -> None:
    page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text(encoding="utf-8")
    assert [name for name in FACTS if f"`{name}`" not in page] == []
