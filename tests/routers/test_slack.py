"""Against a stand-in that refuses what Slack would."""

import json
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from routers.channels.slack import Slack, blocks, escape, fence
from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from tests.alerts import OWNERSHIP, an_alert, crowd, everywhere, longest_links, templated

SLACK = Slack(webhook_url=SecretStr("https://hooks.slack.test/services/T0/B0/x"))
HUGE = "KeyError: " + "x" * 200_000
ATTACK = "<!channel> <!here> <@U123> <!subteam^S1> @everyone *boom* |x> ``` <https://evil.test|ok>"


def is_valid(block: dict[str, Any]) -> bool:
    if block["type"] == "header":
        return block["text"]["type"] == "plain_text" and 1 <= len(block["text"]["text"]) <= 150
    if block["type"] == "context":
        return 1 <= len(block["elements"]) <= 10
    texts = [block["text"]["text"]] if "text" in block else []
    fields = [field["text"] for field in block.get("fields", [])]
    return (
        block["type"] == "section"
        and (bool(texts) or 1 <= len(fields) <= 10)
        and all(1 <= len(text) <= 3_000 for text in texts)
        and all(1 <= len(text) <= 2_000 for text in fields)
    )


def slack(request: httpx.Request) -> httpx.Response:
    message = json.loads(request.content)
    shown = message.get("blocks", [])
    if not message.get("text"):
        return httpx.Response(400, text="no_text")
    if len(shown) > 50 or not all(map(is_valid, shown)):
        return httpx.Response(400, text="invalid_blocks")
    if len(json.dumps(shown, ensure_ascii=False)) > 12_000:
        return httpx.Response(400, text="msg_blocks_too_long")
    return httpx.Response(200, text="ok")


def sent(**over: Any) -> dict[str, Any]:
    """The message as Slack took it."""
    messages: list[dict[str, Any]] = []

    def take(request: httpx.Request) -> httpx.Response:
        messages.append(json.loads(request.content))
        return slack(request)

    with httpx.Client(transport=httpx.MockTransport(take)) as client:
        SLACK.send(an_alert(**over), client)
    return messages[0]


def test_an_alert_in_blocks() -> None:
    header, where, why, fields, link, marker = sent()["blocks"]
    assert header["text"]["text"] == "New error: KeyError: 'DE'"
    assert fields["fields"][0]["text"] == "*Team*\npayments"
    assert where["text"]["text"] == (
        "```\nserver/app/billing/tax.py:88 in rate\n    return RATES[country]\n```"
    )
    assert "rules.yaml:12" in why["elements"][0]["text"]
    assert link["text"]["text"].endswith("0123456789abcdef|Open in Pointsman>")
    assert marker["elements"][0]["text"] == "Delivery 0195-delivery"


def test_there_is_always_a_text() -> None:
    assert sent()["text"].startswith("New error: KeyError: 'DE'\npayments · critical")


def test_plain_is_text_only() -> None:
    assert "blocks" not in sent(plain=True)


def test_a_title_that_the_header_cuts_stands_below_in_whole() -> None:
    title = "KeyError: " + "long " * 60
    assert title.strip() in sent(title=title)["blocks"][1]["text"]["text"]


@pytest.mark.parametrize(
    "text",
    [HUGE, "&" * 9_000, "<" * 9_000, '"' * 9_000, "\\" * 9_000, "é👍" * 9_000, "`\n" * 9_000],
)
def test_no_text_breaks_a_limit(text: str) -> None:
    assert sent(**everywhere(text), **longest_links(), others=crowd(text))["text"]
    assert sent(**templated(text), **longest_links(), others=crowd(text))["text"]


def test_even_the_largest_message_leaves_room() -> None:
    over = everywhere('"' * 9_000) | {"others": crowd('"' * 9_000)}
    message = sent(**over, **longest_links())
    assert len(json.dumps(message, ensure_ascii=False)) < 12_000


def test_a_templates_words_are_no_markup() -> None:
    body = sent(**templated(ATTACK))["blocks"][1]
    assert body["text"]["type"] == "plain_text"
    assert body["text"]["text"].startswith("&lt;!channel&gt;")


def test_an_exception_text_can_ping_nobody() -> None:
    message = json.dumps(sent(**everywhere(ATTACK), **templated(ATTACK)))
    link = "<https://pointsman.example.com/groups/0123456789abcdef|Open in Pointsman>"
    assert "<" not in message.replace(link, "")


def test_names_and_links_are_not_looked_for() -> None:
    message = sent(**everywhere(ATTACK))
    shown = json.dumps(message["blocks"])
    assert shown.count('"mrkdwn"') == shown.count('"verbatim": true')
    assert (message["mrkdwn"], message["unfurl_links"]) == (False, False)


def test_a_code_block_cannot_be_left() -> None:
    assert fence("a```b````c", 100).count("```") == 2


@pytest.mark.parametrize(
    ("text", "limit", "escaped"),
    [
        ("a&b<c>", 99, "a&amp;b&lt;c&gt;"),
        ("&lt;", 99, "&amp;lt;"),
        ("&&", 9, "&amp;…"),
        ("&&", 6, "&amp;…"),
        ("&&", 3, "…"),
        ("abcdef", 3, "ab…"),
        ("", 3, ""),
    ],
)
def test_escaping_never_cuts_an_entity(text: str, limit: int, escaped: str) -> None:
    assert escape(text, limit) == escaped


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, "invalid_blocks", RefusedError),
        (400, "user_not_found", RefusedError),
        (403, "invalid_token", PermanentError),
        (403, "action_prohibited", PermanentError),
        (404, "channel_not_found", PermanentError),
        (404, "no_service", PermanentError),
        (410, "channel_is_archived", PermanentError),
        (500, "rollup_error", TemporaryError),
        (429, '{"retry_after":1,"ok":false,"error":"rate_limited"}', TemporaryError),
        (200, "<html>sign in</html>", PermanentError),
        (204, "", PermanentError),
    ],
)
def test_an_error_of_slack(status: int, said: str, kind: type[DeliveryError]) -> None:
    answer = httpx.Response(status, text=said)
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as client,
        pytest.raises(DeliveryError) as raised,
    ):
        SLACK.send(an_alert(), client)
    assert type(raised.value) is kind


def test_what_is_not_known_makes_no_empty_block() -> None:
    alert = an_alert(culprit="", why="", permalink="", ownership={})
    assert [block["type"] for block in blocks(alert)] == ["header", "section"]


def test_the_frame_may_be_unknown() -> None:
    ownership = OWNERSHIP | {"frame": None}
    assert "tax.py in rate" in json.dumps(sent(ownership=ownership)["blocks"])
