"""Against a stand-in that refuses what Discord would."""

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from routers.channels.base import Receipt
from routers.channels.discord import COLOURS, Discord, content, embed, escape, fence
from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from service.simulators import discord as simulator
from tests.alerts import an_alert, crowd, everywhere, longest_links, templated

PATH = "/api/webhooks/1/x"
ATTACK = "<!channel> @everyone *boom* |x> @here <@42> <@&7> :fire: ``` [a](https://evil.test/_b_)"
HUGE = "KeyError: " + "x" * 200_000


def the_channel(path: str = PATH, query: str = "") -> Discord:
    return Discord(webhook_url=SecretStr(f"https://discord.test{path}{query}"))


def send(server: simulator.Discord, channel: Discord | None = None, **over: Any) -> Receipt:
    with httpx.Client(transport=httpx.MockTransport(server)) as client:
        return (channel or the_channel()).send(an_alert(**over), client)


def sent(**over: Any) -> dict[str, Any]:
    """The message as Discord took it."""
    server = simulator.Discord(PATH)
    send(server, **over)
    return server.taken[0]


def read(text: str) -> str:
    """What a reader sees of escaped text; fails where some of it is markup."""
    left = re.sub(r"\\[^A-Za-z0-9\s]", "·", text)
    assert not re.search(r"[\\*_~`|<\[\]@]|^[-+#>]|://|:[\w+-]+:", left, re.MULTILINE)
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text)


def test_an_alert_as_an_embed() -> None:
    (shown,) = sent()["embeds"]
    assert shown["title"] == "New error: KeyError: 'DE'"
    assert shown["description"].splitlines() == [
        "```",
        "server/app/billing/tax.py:88 in rate",
        "    return RATES[country]",
        "```",
        "Why payments: server/app/billing/tax.py:88 · path: /server/app/billing/ · rules.yaml:12",
        "[Open in Pointsman](<https://pointsman.example.com/groups/0123456789abcdef>)",
    ]
    assert [(one["name"], one["value"]) for one in shown["fields"]][:3] == [
        ("Team", "payments"),
        ("Severity", "critical"),
        ("Environment", "production"),
    ]
    assert shown["footer"] == {"text": "Delivery 0195-delivery"}


def test_each_severity_has_its_colour() -> None:
    colours = [sent(severity=severity)["embeds"][0]["color"] for severity in COLOURS]
    assert len(set(colours)) == 4


def test_the_message_is_named_by_its_id() -> None:
    assert send(simulator.Discord(PATH)) == Receipt("1300000000000000001")


def test_a_thread_in_the_url_stays() -> None:
    asked: list[str] = []

    def take(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        return httpx.Response(200, json={"id": "1"})

    with httpx.Client(transport=httpx.MockTransport(take)) as client:
        the_channel(query="?thread_id=5&wait=false").send(an_alert(), client)
    assert asked == ["thread_id=5&wait=true"]


def test_a_title_that_the_header_cuts_stands_below_in_whole() -> None:
    title = "KeyError: " + "long " * 60
    assert title.strip() in sent(title=title)["embeds"][0]["description"]


def test_plain_is_text_with_a_link() -> None:
    message = sent(plain=True)
    assert "embeds" not in message
    assert message["content"].splitlines()[0] == "New error: KeyError: 'DE'"
    assert message["content"].splitlines()[-2:] == [
        "<https://pointsman.example.com/groups/0123456789abcdef>",
        "-# Delivery 0195-delivery",
    ]


def test_plain_without_a_link_is_text() -> None:
    lines = content(an_alert(permalink="")).splitlines()
    assert lines[-2:] == ["server/app/billing/tax.py:88 in rate", "-# Delivery 0195-delivery"]


def test_what_is_not_queued_is_marked_by_nothing() -> None:
    assert "footer" not in embed(an_alert(id=""))
    assert "-#" not in content(an_alert(id=""))


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    "text",
    [HUGE, "*" * 9_000, "\\" * 9_000, "é👍" * 9_000, "`\n" * 9_000, ":a:" * 9_000, "\0" * 9_000],
)
def test_no_text_breaks_a_limit(text: str, plain: bool) -> None:
    over = {**everywhere(text), **longest_links(), "plain": plain, "others": crowd(text)}
    assert sent(**over)
    assert sent(**over, **templated(text))


@pytest.mark.parametrize("text", ["👍" * 9_000, "*" * 9_000])
def test_even_the_largest_embed_leaves_room(text: str) -> None:
    over = everywhere(text) | longest_links() | {"others": crowd(text)}
    longest = over["links"].source
    (shown,) = sent(**over | {"permalink": longest})["embeds"]
    assert 4_500 < simulator.total(shown) < 5_500
    assert shown["description"].count(longest) == 4


@pytest.mark.parametrize("plain", [False, True])
def test_an_exception_text_can_ping_nobody(plain: bool) -> None:
    for more in ({}, templated(ATTACK)):
        message = sent(**everywhere(ATTACK), **more, plain=plain)
        assert simulator.pinged(message) == []
        assert "<@42>" not in message.get("content", "")


def test_the_stand_in_sees_a_ping() -> None:
    assert simulator.pinged({"content": "@everyone <@42>"}) == ["@everyone", "<@42>"]


@pytest.mark.parametrize(
    "text",
    [
        "<!channel> @everyone *boom* |x>",
        ATTACK,
        "- list",
        "# head\n> quote\n-# small",
        r"C:\app\_x_\*",
        "__init__.py",
        "std::vector::at :+1: http://a_b_c",
    ],
)
def test_a_text_is_shown_as_it_is_written(text: str) -> None:
    assert read(escape(text, 1_000)) == text


def test_a_templates_words_are_shown_as_they_are_written() -> None:
    (shown,) = sent(**templated(ATTACK))["embeds"]
    words, _link = shown["description"].splitlines()
    assert read(words) == ATTACK
    assert shown["fields"] == []


def test_what_is_no_markup_is_not_escaped() -> None:
    text = "KeyError: 'DE' (2026-03-01 12:00:00) #7 a-b > c"
    assert escape(text, 100) == text


def test_an_escape_is_never_cut() -> None:
    assert [escape("a" + "*" * 9, limit) for limit in (4, 5, 6)] == [r"a\*…", r"a\*…", r"a\*\*…"]


def test_a_code_block_cannot_be_left() -> None:
    assert fence("a```b````c", 100).count("```") == 2


def test_what_is_not_known_is_left_out() -> None:
    shown = embed(an_alert(culprit="", why="", permalink="", ownership={}))
    assert shown["description"] == ""


@pytest.mark.parametrize(
    ("path", "code", "kind"),
    [
        ("/api/webhooks/2/x", "not_found", PermanentError),
        ("/api/webhooks/1/y", "unauthorized", PermanentError),
    ],
)
def test_a_webhook_that_is_gone_is_not_tried_again(
    path: str, code: str, kind: type[DeliveryError]
) -> None:
    with pytest.raises(DeliveryError) as raised:
        send(simulator.Discord(PATH), the_channel(path))
    assert (type(raised.value), raised.value.code) == (kind, code)


def test_the_sixth_message_in_a_moment_waits_as_long_as_it_is_told() -> None:
    server = simulator.Discord(PATH, now=iter([0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 2.1]).__next__)
    for _ in range(5):
        send(server)
    with pytest.raises(TemporaryError, match="rate limited") as raised:
        send(server)
    assert (raised.value.retry_after, raised.value.pause) == (timedelta(seconds=1.5), True)
    assert send(server).external_id


def test_what_discord_calls_malformed_may_pass_as_plain_text() -> None:
    refusal = simulator.invalid({"embeds": [{"title": "x" * 257}]})
    assert refusal is not None
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _: refusal)) as client,
        pytest.raises(RefusedError, match="Invalid Form Body"),
    ):
        the_channel().send(an_alert(), client)


@pytest.mark.parametrize(
    "embeds",
    [
        [{"title": "x" * 257}],
        [{"description": "x" * 4_097}],
        [{"fields": [{"name": "a", "value": " "}]}],
        [{"fields": [{"name": "a", "value": "x" * 1_025}]}],
        [{"fields": [{"name": "a", "value": "b"}] * 26}],
        [{"description": "x" * 3_001}] * 2,
        [{"title": "a"}] * 11,
        [{"url": "http://pointsman:8000/"}],
        [{"color": -1}],
        [{"footer": {"text": "x" * 2_049}}],
        [{"footer": {"text": " "}}],
        [{"description": "x" * 4_000, "footer": {"text": "x" * 2_001}}],
    ],
)
def test_the_stand_in_refuses_as_discord_does(embeds: list[dict[str, Any]]) -> None:
    refusal = simulator.invalid({"embeds": embeds})
    assert refusal is not None
    assert json.loads(refusal.content)["code"] == 50035


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(204),
        httpx.Response(200, text="<html>sign in</html>"),
        httpx.Response(200, json={"id": 7}),
        httpx.Response(200, json=[]),
    ],
)
def test_an_answer_without_a_message_is_not_discords(answer: httpx.Response) -> None:
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as client,
        pytest.raises(PermanentError) as raised,
    ):
        the_channel().send(an_alert(), client)
    assert raised.value.code == "unexpected_answer"
