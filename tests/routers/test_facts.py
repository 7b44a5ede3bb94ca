"""Every channel tells the same: what broke, how badly, where, why you, and where that leads."""

import html
import json
from collections.abc import Iterator
from typing import Any

import pytest

from routers.channels import CHANNELS
from routers.notification import Links, Written
from tests.alerts import an_alert
from tests.routers.mail import read
from tests.routers.test_channels import a_destination

LINKS = Links(
    runbook="https://wiki.example.com/invoicing",
    source="https://git.example.com/2026.3.1/server/app/billing/tax.py#L88",
    sentry="https://acme.sentry.io/issues/1/",
)
WRITTEN = Written(title="Billing broke in DE", body="Call Ada.\n  Then drink tea.")
FACTS = {
    "title": "KeyError: 'DE'",
    "team": "payments",
    "severity": "critical",
    "environment": "production",
    "release": "2026.3.1",
    "count": "1200",
    "first seen": "2026-02-28",
    "last seen": "2026-03-01",
    "path": "server/app/billing/tax.py",
    "function": "rate",
    "line": "88",
    "source line": "return RATES[country]",
    "rule": "path: /server/app/billing/",
    "where the rule stands": "rules.yaml:12",
    "group": "https://pointsman.example.com/groups/0123456789abcdef",
    "runbook": LINKS.runbook,
    "source": LINKS.source,
    "Sentry": LINKS.sentry,
}


def texts(value: Any) -> Iterator[str]:
    """Every name and text of something in JSON."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    else:
        yield str(value)


def told(name: str, capsys: pytest.CaptureFixture[str], **over: Any) -> str:
    """All that a reader sees, numbers without commas."""
    over = {"links": LINKS, "first_seen": an_alert().sent_at.replace(month=2, day=28)} | over
    with a_destination(name) as (channel, client, taken):
        channel.send(an_alert(**over), client)
    if name == "log":
        return capsys.readouterr().out.replace(",", "")
    if name == "email":
        mail = read(taken[0])  # type: ignore[arg-type]
        parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
        return "\n".join((str(mail["Subject"]), *parts)).replace(",", "")
    content = taken[0][0]  # type: ignore[index]
    return html.unescape("\n".join(texts(json.loads(content)))).replace(",", "").replace("\\", "")


@pytest.mark.parametrize("name", CHANNELS)
def test_every_fact_is_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = told(name, capsys)
    assert [fact for fact, text in FACTS.items() if text not in shown] == []


@pytest.mark.parametrize("name", sorted(CHANNELS.keys() - {"webhook"}))
def test_a_templates_words_are_told_with_all_links(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = told(name, capsys, written=WRITTEN)
    words = ("Billing broke in DE", "Call Ada.", "Then drink tea.")
    leads = ("group", "runbook", "source", "Sentry")
    assert [one for one in (*words, *map(FACTS.__getitem__, leads)) if one not in shown] == []


def test_a_webhook_has_a_templates_words_beside_the_facts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = told("webhook", capsys, written=WRITTEN)
    assert [fact for fact, text in FACTS.items() if text not in shown] == []
    assert "Call Ada.\n  Then drink tea." in shown
