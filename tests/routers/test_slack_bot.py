"""A bot in Slack: one message of a group, changed in place, and what comes later in its thread."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from pydantic import SecretStr, ValidationError

from routers.channels.base import Receipt
from routers.channels.slack import Slack
from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from routers.notification import Alert, Reason, Thread
from routers.schema import rules_schema
from routers.slack_buttons import OPTIONS_LIMIT, options
from service.simulators.slack import CHANNEL, TOKEN, are_options, pinged, pressable
from service.simulators.slack import Slack as Workspace
from tests.alerts import NOW, an_alert, crowd, everywhere
from tests.routers.simulators.sending import Clock
from tests.routers.test_slack import ATTACK, HUGE
from tests.schemas import mistakes

BOT = Slack(token=SecretStr(TOKEN), channel=CHANNEL)
MINUTE = timedelta(minutes=1)
Handler = Callable[[httpx.Request], httpx.Response]


class Told:
    """Alerts of one group to one workspace, each handed what the one before left."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.slack = Workspace(self.clock)
        self.thread: Thread | None = None

    def alert(self, **over: Any) -> Alert:
        return an_alert(sent_at=self.clock.now, thread=self.thread, **over)

    def tell(self, **over: Any) -> Receipt:
        receipt = send(self.slack, self.alert(**over))
        self.thread = receipt.thread or self.thread
        return receipt

    def revise(self, said: str = "", **over: Any) -> Thread | None:
        assert self.thread
        self.thread = msgspec.structs.replace(self.thread, said=said)
        with httpx.Client(transport=httpx.MockTransport(self.slack)) as client:
            return BOT.revise(self.alert(**over), client)

    @property
    def methods(self) -> list[str]:
        return [method.removeprefix("chat.") for method, _ in self.slack.said]


def send(handler: Handler, alert: Alert) -> Receipt:
    with httpx.Client(transport=httpx.MockTransport(handler)) as client:
        return BOT.send(alert, client)


def answering(error: str) -> Handler:
    return lambda _: httpx.Response(200, json={"ok": False, "error": error})


def text_of(message: dict[str, Any]) -> str:
    return str(message["blocks"])


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"token": SecretStr(TOKEN)},
        {"channel": CHANNEL},
        {"api_url": SecretStr("https://slack.test")},
        {"webhook_url": SecretStr("https://s.test/"), "token": SecretStr(TOKEN)},
        {"webhook_url": SecretStr("https://s.test/"), "channel": CHANNEL},
        {"webhook_url": SecretStr("https://s.test/"), "token": SecretStr("x"), "channel": CHANNEL},
    ],
)
def test_it_is_a_webhook_or_a_bot(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either `webhook_url`, or `token` and `channel`"):
        Slack(**settings)


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        (["webhook_url"], True),
        (["token", "channel"], True),
        (["token", "channel", "api_url"], True),
        (["token"], False),
        (["webhook_url", "token", "channel"], False),
        ([], False),
    ],
)
def test_an_editor_knows_the_two_forms(given: list[str], fits: bool) -> None:
    schema = rules_schema()
    settings = dict.fromkeys(given, CHANNEL)
    file = {"version": 1, "channels": {"x": {"slack": settings}}}
    assert (list(mistakes(file, schema, schema)) == []) is fits


def test_a_channel_is_named_by_its_id() -> None:
    with pytest.raises(ValidationError, match="channel"):
        Slack(token=SecretStr(TOKEN), channel="#payments")


def test_a_first_message_begins_a_thread(told: Told) -> None:
    receipt = told.tell()
    (message,) = told.slack.firsts
    assert receipt.external_id == message["ts"]
    assert receipt.thread == Thread(channel=CHANNEL, ts=message["ts"], updated_at=NOW)


def test_what_comes_later_changes_the_message_and_is_told_in_its_thread(told: Told) -> None:
    told.tell(times_seen=1)
    told.clock.passes(minutes=5)
    told.tell(times_seen=7, reason="escalation", threshold=5)
    (message,) = told.slack.firsts
    (reply,) = told.slack.thread(message["ts"])
    assert "*Times seen*\\n7" in text_of(message)
    assert reply["blocks"][0]["text"]["text"].startswith("Growing, seen 5 times: KeyError")
    assert told.methods == ["postMessage", "update", "postMessage"]


def test_a_message_is_changed_at_most_once_a_minute_and_then_is_due(told: Told) -> None:
    told.tell()
    told.clock.passes(seconds=59)
    receipt = told.tell(reason="regression")
    assert told.methods == ["postMessage", "postMessage"]
    assert receipt.thread
    assert receipt.thread.due_at == NOW + MINUTE
    told.clock.passes(seconds=1)
    told.tell(reason="regression")
    assert told.methods[2:] == ["update", "postMessage"]
    assert told.thread == Thread(channel=CHANNEL, ts=receipt.thread.ts, updated_at=told.clock.now)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("regression", True),
        ("escalation", True),
        ("owner_changed", True),
        ("first_seen", True),  # in another environment
        ("repeat", False),
    ],
)
def test_news_in_a_thread_is_shown_in_the_channel_too(
    told: Told, reason: Reason, shown: bool
) -> None:
    told.tell()
    told.tell(reason=reason)
    assert told.slack.said[-1][1]["reply_broadcast"] is shown


@pytest.mark.parametrize("over", [{"others": crowd("KeyError")}, {"reason": "digest"}])
def test_what_is_of_no_one_group_begins_and_joins_no_thread(
    told: Told, over: dict[str, Any]
) -> None:
    assert told.tell(**over).thread is None
    told.tell()
    assert told.tell(**over).thread is None
    assert len(told.slack.firsts) == 3


def test_a_message_that_is_gone_is_followed_by_a_new_one(told: Told) -> None:
    told.tell()
    told.slack.shown.clear()
    told.clock.passes(minutes=5)
    receipt = told.tell(reason="repeat")
    (message,) = told.slack.firsts
    assert receipt.thread
    assert receipt.thread.ts == message["ts"]


def test_a_thread_that_is_gone_within_the_minute_is_too(told: Told) -> None:
    told.tell()
    told.slack.shown.clear()
    told.tell(reason="repeat")
    assert len(told.slack.firsts) == 1


def test_another_channel_is_told_anew(told: Told) -> None:
    told.tell()
    assert told.thread
    told.thread = msgspec.structs.replace(told.thread, channel="C9876543210")
    told.tell()
    assert len(told.slack.firsts) == 2


def test_a_message_too_old_to_be_changed_keeps_its_thread(told: Told) -> None:
    told.tell()

    def closed(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/chat.update":
            return answering("edit_window_closed")(request)
        return told.slack(request)

    told.clock.passes(minutes=5)
    assert send(closed, told.alert()).thread
    assert len(told.slack.firsts) == 1


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        ("ratelimited", TemporaryError, "rate_limited"),
        ("message_limit_exceeded", TemporaryError, "rate_limited"),
        ("internal_error", TemporaryError, "server_error"),
        ("fatal_error", TemporaryError, "server_error"),
        ("invalid_blocks", RefusedError, "malformed"),
        ("msg_too_long", RefusedError, "malformed"),
        ("msg_blocks_too_long", RefusedError, "malformed"),
        ("invalid_auth", PermanentError, "unauthorized"),
        ("token_revoked", PermanentError, "unauthorized"),
        ("channel_not_found", PermanentError, "not_found"),
        ("is_archived", PermanentError, "gone"),
        ("not_in_channel", PermanentError, "forbidden"),
        ("missing_scope", PermanentError, "forbidden"),
        ("whatever_else", PermanentError, "rejected"),
        ("xoxb-0-1-x", PermanentError, "unexpected_answer"),
    ],
)
def test_an_answer_that_is_not_ok(error: str, kind: type[DeliveryError], code: str) -> None:
    with pytest.raises(DeliveryError) as raised:
        send(answering(error), an_alert())
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("said", [{"ok": True}, {"ok": True, "channel": "C0", "ts": 7}, {"ok": 1}])
def test_an_ok_without_a_name_is_none(said: dict[str, Any]) -> None:
    with pytest.raises(PermanentError) as raised:
        send(lambda _: httpx.Response(200, json=said), an_alert())
    assert raised.value.code == "unexpected_answer"


def test_too_fast_is_answered_429_and_heard(told: Told) -> None:
    for _ in range(3):
        send(told.slack, an_alert())
    with pytest.raises(TemporaryError) as raised:
        send(told.slack, an_alert())
    assert (raised.value.pause, raised.value.retry_after) == (True, timedelta(seconds=1))


def test_another_address_of_slack_may_be_named() -> None:
    hosts: list[str] = []

    def take(request: httpx.Request) -> httpx.Response:
        hosts.append(str(request.url))
        return Workspace(Clock())(request)

    bot = Slack(token=SecretStr(TOKEN), channel=CHANNEL, api_url=SecretStr("https://gov.test/"))
    with httpx.Client(transport=httpx.MockTransport(take)) as client:
        bot.send(an_alert(), client)
    assert hosts == ["https://gov.test/api/chat.postMessage"]


def test_buttons_stand_only_where_a_press_reaches_us(told: Told) -> None:
    told.tell()
    assert pressable(told.slack.firsts[0]) == {}
    told.thread = None
    told.tell(pressable=True)
    assert list(pressable(told.slack.firsts[1])) == ["resolve", "ignore", "assign", "silence"]


def test_what_a_person_did_takes_the_place_of_the_buttons(told: Told) -> None:
    told.tell(pressable=True)
    told.clock.passes(seconds=9)
    thread = told.revise("resolved by ada", pressable=True)
    (message,) = told.slack.firsts
    assert pressable(message) == {}
    assert message["blocks"][-1]["text"]["text"] == "✓ resolved by ada"
    assert thread
    assert (thread.updated_at, thread.due_at) == (told.clock.now, None)


def test_the_next_alert_brings_the_buttons_back(told: Told) -> None:
    told.tell(pressable=True)
    told.revise("resolved by ada", pressable=True)
    told.clock.passes(minutes=5)
    told.tell(reason="regression", pressable=True)
    assert pressable(told.slack.firsts[0])
    assert told.thread
    assert told.thread.said == ""


def test_there_may_be_nothing_to_revise(told: Told) -> None:
    told.tell()
    told.slack.shown.clear()
    assert told.revise("resolved by ada") is None
    with httpx.Client(transport=httpx.MockTransport(told.slack)) as client:
        assert BOT.revise(an_alert(), client) is None


def test_plain_leaves_no_blocks_behind(told: Told) -> None:
    told.tell()
    told.clock.passes(minutes=5)
    told.tell(plain=True)
    message, reply = told.slack.shown.values()
    assert message["blocks"] == []
    assert "blocks" not in reply


@pytest.mark.parametrize("plain", [False, True])
def test_an_exception_text_pings_nobody_in_message_update_and_thread(
    told: Told, plain: bool
) -> None:
    over = everywhere(ATTACK) | {"plain": plain, "pressable": True}
    told.tell(**over)
    told.clock.passes(minutes=5)
    told.tell(**over, reason="regression")
    told.revise(f"resolved by {ATTACK}", **over)
    assert [method for method, _ in told.slack.said].count("chat.update") == 2
    assert [pinged({"parse": "client", **one}) for one in told.slack.shown.values()] == [[], []]
    assert all("boom" in str(one) for one in told.slack.shown.values())


@pytest.mark.parametrize("text", [HUGE, '"' * 9_000, "&" * 9_000, "\n" * 9_000])
def test_no_text_breaks_a_limit(told: Told, text: str) -> None:
    over = everywhere(text) | {"pressable": True}
    told.tell(**over)
    told.clock.passes(minutes=5)
    told.tell(**over)
    told.revise(text, **over)
    assert told.methods == ["postMessage", "update", "postMessage", "update"]


def test_a_menu_keeps_its_limits() -> None:
    named = [(f"team-{number}", "x" * 200) for number in range(300)]
    assert are_options(options([("", "nobody"), ("x" * 76, "long"), *named]))
    assert len(options(named)) == OPTIONS_LIMIT


def test_the_simulator_hears_a_ping() -> None:
    """What the tests above rely on."""
    assert pinged({"text": "<!channel> @here"}) == ["<!channel>"]
    assert pinged({"text": "@here", "parse": "client"}) == ["@here"]
    assert pinged({"blocks": [{"type": "mrkdwn", "text": "@here", "verbatim": False}]}) == ["@here"]
