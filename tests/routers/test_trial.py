"""A test message: whom it reaches, and that every kind of channel takes it."""

import msgspec
import pytest

from routers.channels import CHANNELS
from routers.channels.log import render
from routers.notification import Alert
from routers.trial import Trial, chosen, message
from tests.builders import NOW, the_rules
from tests.routers.test_channels import a_destination

RULES = the_rules("""
teams:
  payments:
    name: Payments
    receivers:
      - {channel: pager, when: {severity: critical, environment: production}, continue: true}
      - {channel: tests, when: {reason: test}}
      - {channel: log}
channels:
  pager: {webhook: {url: "https://pager.example.com"}}
  tests: {webhook: {url: "https://tests.example.com"}}
""")
PAYMENTS = RULES.teams["payments"]


@pytest.mark.parametrize(
    ("trial", "told"),
    [
        (Trial(id="a"), ("tests",)),
        (Trial(id="a", severity="critical"), ("tests",)),
        (Trial(id="a", severity="critical", environment="production"), ("pager", "tests")),
        (Trial(id="a", receiver="pager"), ("pager",)),
    ],
)
def test_a_trial_reaches_whom_an_error_would(trial: Trial, told: tuple[str, ...]) -> None:
    assert chosen(trial, PAYMENTS, RULES, NOW).channels == told


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", sorted(CHANNELS.keys() - {"log"}))
def test_every_channel_can_tell_a_trial(name: str, plain: bool) -> None:
    with a_destination(name) as (channel, client, taken):
        channel.send(msgspec.structs.replace(ALERT, plain=plain), client)
    assert "This is how Payments is told" in str(taken[0])


def test_the_console_shows_nothing_that_a_trial_has_not() -> None:
    assert render(ALERT).splitlines() == [
        "ALERT payments · info · test",
        "  says         This is how Payments is told; nothing failed",
        "  why          somebody asked for a test message",
        "  page         https://x.example/",
        "  delivery     0195-delivery",
        "",
    ]


TOLD = message(Trial(id="0" * 16), PAYMENTS, "log", public_url="https://x.example", now=NOW)
ALERT = Alert(id="0195-delivery", sent_at=NOW, notification=TOLD, ownership={}, event=None)
