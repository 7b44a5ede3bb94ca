"""Whatever is told, in whatever words, each form of each channel keeps its vendor's limits, and
what a sender wrote pings nobody there."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from routers.channels import CHANNELS
from routers.channels.apprise import payload as apprise
from routers.channels.email import html, letter
from routers.channels.log import render
from routers.channels.slack import Slack
from routers.notification import Alert, Cause, Digest, Entry, Storm, Tally, Thread
from routers.trial import Trial, message
from service.simulators import discord, slack
from service.simulators.msteams import Workflow, elements
from service.simulators.vendors import VENDORS
from tests.alerts import NOW, an_alert, crowd, everywhere, longest_links, templated
from tests.routers.simulators.sending import Clock
from tests.routers.test_channels import FORMS, HUGE, built, kind
from tests.routers.test_digest import a_digest
from tests.routers.test_trial import PAYMENTS

ATTACK = "<!channel> @everyone *boom* |x> <@U123> <at>All</at> <https://evil.test|ok>"
TEXTS = {"attack": ATTACK, "huge": HUGE, "escaped": '"\\&<' * 9_000, "wide": "\u6f22\u00e9" * 9_000}
POSTED = sorted(name for name in FORMS if name.split()[0] in VENDORS)


def one(text: str) -> Alert:
    return an_alert(**everywhere(text), **longest_links())


def storm(text: str) -> Alert:
    of = Storm(id="s", cause=Cause("frame", text), since=NOW, groups=2_981, events=100_000)
    return an_alert(**everywhere(text), **longest_links(), others=crowd(text), more=9, storm=of)


def week(text: str) -> Alert:
    entries = tuple(Entry(group="0" * 16, title=text, times_seen=9) for _ in range(5))
    many = Tally(1_000_000, entries)
    since = NOW - timedelta(days=7)
    digest = Digest(
        since=since, until=NOW, new=many, burning=many, resolved=many, unowned_near=many
    )
    return a_digest(digest, links=longest_links()["links"])


def trial(text: str) -> Alert:
    team = msgspec.structs.replace(PAYMENTS, name=text)
    told = message(
        Trial(id="0" * 16, environment=text), team, "x", public_url="https://p.test", now=NOW
    )
    return Alert(id="0195-delivery", sent_at=NOW, notification=told, ownership={}, event=None)


def warning(text: str) -> Alert:
    return an_alert(**everywhere(text), reason="digest", severity="info")


MESSAGES: dict[str, Callable[[str], Alert]] = {
    "one": one,
    "merged": lambda text: msgspec.structs.replace(one(text), others=crowd(text)),
    "storm": storm,
    "digest": week,
    "test": trial,
    "warning": warning,
    "templated": lambda text: an_alert(**templated(text), **longest_links(), others=crowd(text)),
    "closing": lambda text: an_alert(**everywhere(text), closes=True),
}


def taken(name: str, alert: Alert) -> Any:
    """What the vendor, which refuses what is over a limit, was told."""
    simulator, bodies = VENDORS[name.split()[0]].make(Clock()), []

    def take(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return simulator(request)

    with httpx.Client(transport=httpx.MockTransport(take)) as client:
        built(name).send(alert, client)
    if isinstance(simulator, Workflow):  # which says 202 to anything
        assert simulator.runs == ["Succeeded"]
    return bodies[-1]


def of_cards(message: Any) -> list[str]:
    (attachment,) = message["attachments"]
    shown = json.dumps(attachment["content"], ensure_ascii=False)
    marks = [mark for mark in ("<at>", "</at>", '"entities"') if mark in shown]
    return marks + [
        one["type"] for one in elements(attachment["content"]) if one["type"] == "TextBlock"
    ]


def of_incidents(message: Any) -> list[str]:
    return re.findall("<[!@]|<https?:|@everyone|@U123", json.dumps(message, ensure_ascii=False))


def of_slack(message: Any) -> list[str]:
    ours = ("<https://p.test/", "<https://x.example/")  # longest_links(), and those of no group
    return [one for one in slack.pinged(message) if not one.startswith(ours)]


PINGED: dict[str, Callable[[Any], list[str]]] = {
    "slack": of_slack,
    "discord": lambda told: discord.pinged(told) + told["allowed_mentions"]["parse"],
    "msteams": of_cards,
}


@pytest.mark.parametrize("name", POSTED)
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("told", MESSAGES)
def test_every_message_is_taken_and_pings_nobody(
    name: str, plain: bool, text: str, told: str
) -> None:
    alert = msgspec.structs.replace(MESSAGES[told](text), plain=plain)
    assert PINGED.get(name.split()[0], of_incidents)(taken(name, alert)) == []


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("minutes", [0, 2], ids=["reply", "update and reply"])
def test_a_thread_is_taken_and_pings_nobody(plain: bool, text: str, minutes: int) -> None:
    clock = Clock()
    simulator = slack.Slack(clock)
    with httpx.Client(transport=httpx.MockTransport(simulator)) as client:
        bot = built("slack 2")
        assert isinstance(bot, Slack)
        begun = bot.send(one(text), client).thread
        assert begun is not None
        clock.passes(minutes=minutes)
        later = msgspec.structs.replace(one(text), sent_at=clock.now, thread=begun, plain=plain)
        bot.send(later, client)
        said = Thread(channel=begun.channel, ts=begun.ts, updated_at=NOW, said=text)
        bot.revise(msgspec.structs.replace(later, thread=said), client)
    assert [method for method, _ in simulator.said] == [
        "chat.postMessage",
        *["chat.update"] * (minutes > 0),
        "chat.postMessage",
        "chat.update",
    ]
    assert [found for shown in simulator.shown.values() for found in of_slack(shown)] == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("told", MESSAGES)
def test_what_goes_nowhere_that_pings_stays_text(text: str, plain: bool, told: str) -> None:
    alert = msgspec.structs.replace(MESSAGES[told](text), plain=plain)
    sent = letter(alert, "bot@example.com", ["a@example.com"]).as_bytes()
    assert max(map(len, sent.split(b"\r\n"))) <= 998
    assert len(sent) < 150_000
    assert "<!channel" not in html(alert)
    shown = apprise(alert)
    assert of_incidents(shown) == []
    assert len(shown["body"]) < 12_000
    first, *rest = render(alert).splitlines()
    assert first.startswith("ALERT ")
    assert [line for line in rest if line and not line.startswith("  ")] == []


def test_every_channel_is_asked() -> None:
    assert {kind(name) for name in POSTED} | {
        CHANNELS[name] for name in ("email", "apprise", "log", "webhook")
    } == set(CHANNELS.values())
