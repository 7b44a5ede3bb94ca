"""Against a stand-in that runs its flow after it has answered, as Teams does."""

import json
import re
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from routers.channels.base import Receipt
from routers.channels.msteams import MSTeams, card, escape, payload
from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from routers.http import encode
from service.simulators import msteams as simulator
from tests.alerts import an_alert, crowd, everywhere, longest_links, templated

PATH = "/workflows/0/triggers/manual/paths/invoke"
URL = f"https://logic.test{PATH}?api-version=2016-06-01&sig=hush"
ATTACK = "<!channel> @everyone *boom* |x> <at>Everyone</at> </AT> _u_ [a](https://evil.test)"
HUGE = "KeyError: " + "x" * 200_000


def send(handler: Any, url: str = URL, **over: Any) -> Receipt:
    with httpx.Client(transport=httpx.MockTransport(handler)) as client:
        return MSTeams(webhook_url=SecretStr(url)).send(an_alert(**over), client)


def posted(**over: Any) -> dict[str, Any]:
    """The card as the channel shows it."""
    flow = simulator.Workflow(PATH, "hush")
    send(flow, **over)
    assert flow.runs == ["Succeeded"]
    return flow.posted[0]


def runs(shown: dict[str, Any]) -> list[str]:
    return [one["text"] for one in simulator.elements(shown) if one["type"] == "TextRun"]


def facts(shown: dict[str, Any]) -> list[tuple[str, str]]:
    (found,) = [one["facts"] for one in simulator.elements(shown) if one["type"] == "FactSet"]
    return [(fact["title"], fact["value"]) for fact in found]


def read(markdown: str) -> str:
    """What a reader sees of an escaped text; fails where some of it is markup."""
    assert not re.search(r"[\\*_\[\]()]", re.sub(r"\\[\\*_\[\]()]", "·", markdown))
    return re.sub(r"\\([\\*_\[\]()])", r"\1", markdown)


def test_an_alert_as_a_card() -> None:
    shown = posted()
    assert runs(shown) == [
        "New error: KeyError: 'DE'",
        "server/app/billing/tax.py:88 in rate",
        "return RATES[country]",
        "Why payments: server/app/billing/tax.py:88 · path: /server/app/billing/ · rules.yaml:12",
        "Delivery 0195-delivery",
    ]
    assert facts(shown) == [
        ("Team", "payments"),
        ("Severity", "critical"),
        ("Environment", "production"),
        ("Release", "2026.3.1"),
        ("Times seen", "1,200"),
        ("Reason", r"first\_seen"),
        ("First seen", "2026-03-01 12:00:00 UTC"),
        ("Last seen", "2026-03-01 12:00:00 UTC"),
    ]


def test_a_card_leads_to_the_groups_page() -> None:
    (action,) = posted()["actions"]
    assert action["url"] == "https://pointsman.example.com/groups/0123456789abcdef"


@pytest.mark.parametrize(
    ("severity", "style"),
    [("critical", "attention"), ("error", "attention"), ("warning", "warning"), ("info", "accent")],
)
def test_the_head_has_the_colour_of_the_severity(severity: str, style: str) -> None:
    assert posted(severity=severity)["body"][0]["style"] == style


def test_a_title_that_the_head_cuts_stands_below_in_whole() -> None:
    title = "KeyError: " + "long " * 90
    assert runs(posted(title=title))[1] == title.strip()


def test_plain_is_a_card_of_lines() -> None:
    shown = posted(plain=True)
    assert {one["type"] for one in shown["body"]} == {"RichTextBlock"}
    assert (runs(shown)[0], runs(shown)[-1]) == (
        "New error: KeyError: 'DE'",
        "Delivery 0195-delivery",
    )


def test_the_marker_is_the_last_and_the_least() -> None:
    for plain in (False, True):
        (run,) = posted(plain=plain)["body"][-1]["inlines"]
        assert (run["size"], run["isSubtle"]) == ("Small", True)


def test_what_is_not_known_is_left_out() -> None:
    shown = posted(culprit="", why="", permalink="", ownership={})
    assert ([one["type"] for one in shown["body"]], shown["actions"]) == (
        ["Container", "FactSet", "RichTextBlock"],
        [],
    )


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    "text",
    [HUGE, "*" * 9_000, "\\" * 9_000, '"' * 9_000, "é👍" * 9_000, "<at>" * 9_000, "\0" * 9_000],
)
def test_the_largest_card_is_far_from_what_teams_refuses(text: str, plain: bool) -> None:
    over = {**everywhere(text), **longest_links(), "plain": plain, "others": crowd(text)}
    for more in ({}, templated(text)):
        assert posted(**over, **more)
        assert len(encode(payload(an_alert(**over, **more)))) < 12_000


@pytest.mark.parametrize("more", [{}, templated(ATTACK)])
def test_an_exception_text_mentions_nobody(more: dict[str, Any]) -> None:
    shown = json.dumps(posted(**everywhere(ATTACK), **more), ensure_ascii=False)
    assert not re.search(r"</?at\b", shown, re.IGNORECASE)
    assert "entities" not in shown


def test_an_exception_text_is_shown_as_it_is_written() -> None:
    text = "<!channel> @everyone *boom* |x>"
    shown = posted(**everywhere(text))
    assert runs(shown)[0] == f"New error: {text}"
    assert read(dict(facts(shown))["Team"]) == text


@pytest.mark.parametrize("text", [r"C:\app\_x_\*", "a[b](c)", "__init__.py", "**", ""])
def test_markdown_in_a_fact_is_text(text: str) -> None:
    assert read(escape(text, 100)) == text


def test_an_escape_is_never_cut() -> None:
    assert [escape("ab" + "*" * 9, limit) for limit in (7, 8, 9)] == ["ab…", r"ab\*…", r"ab\*…"]


def test_no_element_is_of_a_newer_card() -> None:
    assert (card(an_alert())["version"], simulator.invalid(card(an_alert()))) == ("1.4", "")


@pytest.mark.parametrize(
    ("url", "enabled", "kind"),
    [
        (URL.replace("hush", "old"), True, PermanentError),
        (URL.replace("/0/", "/1/"), True, PermanentError),
        (URL, False, RefusedError),
    ],
)
def test_a_flow_that_cannot_be_started_says_so(
    url: str, enabled: bool, kind: type[DeliveryError]
) -> None:
    with pytest.raises(DeliveryError) as raised:
        send(simulator.Workflow(PATH, "hush", enabled=enabled), url)
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (429, TemporaryError, "rate_limited"),
        (413, RefusedError, "too_large"),
        (403, PermanentError, "forbidden"),
        (502, TemporaryError, "server_error"),
        (0, TemporaryError, "server_error"),
    ],
)
def test_a_failure_in_words_is_a_failure(status: int, kind: type[DeliveryError], code: str) -> None:
    with pytest.raises(DeliveryError) as raised:
        send(lambda _: simulator.connector_failure(status))
    assert (type(raised.value), raised.value.code) == (kind, code)


def test_an_older_connector_takes_a_card() -> None:
    assert send(simulator.connector, title=HUGE) == Receipt()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "InvalidTemplate"),
        (b'{"text": "hello"}', "ExpressionEvaluationFailed"),
        (b'{"attachments": [{"contentType": "text/plain"}]}', "BadRequest"),
    ],
)
def test_a_flow_that_fails_was_answered_202(body: bytes, said: str) -> None:
    flow = simulator.Workflow(PATH, "hush")
    assert flow(httpx.Request("POST", URL, content=body)).status_code == 202
    assert flow.runs[0].startswith(said)
    assert flow.posted == []


def test_a_flow_fails_on_a_card_as_large_as_one_that_was_seen_to() -> None:
    head, tail = encode(payload(an_alert(title="@"))).split(b"@")
    largest = head + b"x" * (24_452 - len(head + tail)) + tail
    assert simulator.failing(largest).startswith("RequestEntityTooLarge")
