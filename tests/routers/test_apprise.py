"""Apprise, in its own process, against a service on a local socket."""

import json
import socket
import sys
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from routers.apprise_child import Guard
from routers.channels.apprise import AppriseChannel, payload
from routers.configured import Unconfigured
from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from routers.http import make_client
from tests.alerts import an_alert, crowd
from tests.builders import loaded, the_rules
from tests.routers.mail import a_client
from tests.routers.services import SECRET, a_service
from tests.routers.test_slack import ATTACK


def failed(channel: AppriseChannel, **settings: Any) -> DeliveryError:
    with a_client(**settings) as client, pytest.raises(DeliveryError) as raised:
        channel.send(an_alert(), client)
    assert SECRET not in f"{raised.value} {raised.value!r}"
    return raised.value


def test_an_alert_is_a_title_and_a_text() -> None:
    with a_service() as service, a_client() as client:
        service.channel().send(an_alert(), client)
    told = json.loads(service.taken[0][0])
    assert (told["title"], told["type"]) == ("New error: KeyError: 'DE'", "failure")
    assert told["message"].splitlines()[:7] == [
        "KeyError: 'DE'",
        "server/app/billing/tax.py:88 in rate",
        "    return RATES[country]",
        "server/app/billing/tax.py:88 · path: /server/app/billing/ · rules.yaml:12",
        "Open in Pointsman: https://pointsman.example.com/groups/0123456789abcdef",
        "Delivery 0195-delivery",
        "Team: payments",
    ]


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (302, PermanentError, "redirect"),
        (400, RefusedError, "malformed"),
        (401, PermanentError, "unauthorized"),
        (403, PermanentError, "forbidden"),
        (404, PermanentError, "not_found"),
        (408, TemporaryError, "timeout"),
        (410, PermanentError, "gone"),
        (413, RefusedError, "too_large"),
        (415, RefusedError, "malformed"),
        (422, RefusedError, "malformed"),
        (425, TemporaryError, "too_early"),
        (429, TemporaryError, "rate_limited"),
        (500, TemporaryError, "server_error"),
        (502, TemporaryError, "server_error"),
        (503, TemporaryError, "server_error"),
        (504, TemporaryError, "server_error"),
    ],
)
def test_the_status_that_apprise_logs_is_judged(
    status: int, kind: type[DeliveryError], code: str
) -> None:
    with a_service(status) as service:
        error = failed(service.channel("?retry=3&wait=0.1&redirect=yes"))
    assert (type(error), error.code) == (kind, code)
    assert [path for _, path in service.taken] == [f"/{SECRET}"]  # once, and nowhere else


def test_a_no_without_a_reason_is_worth_another_attempt() -> None:
    with a_service() as service:
        channel = service.channel()
    assert failed(channel).code == "not_taken"  # nobody listens there any more


def test_whoever_does_not_answer_is_left_in_time() -> None:
    with a_service(None) as service:
        error = failed(service.channel("?rto=60"), limit=timedelta(seconds=3))
    assert (type(error), error.code) == (TemporaryError, "timeout")


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1:9/hush-hush",
        "json://localhost:9/hush-hush",
        "mailto://a:hush-hush@127.0.0.1:9?smtp=127.0.0.1&from=a@b.test&to=c@d.test",
        "rsyslog://127.0.0.1:9/",
    ],
)
def test_what_is_private_is_not_reached(url: str) -> None:
    channel = AppriseChannel(url=SecretStr(url))
    with make_client(allow_private=False) as client, pytest.raises(DeliveryError) as raised:
        channel.send(an_alert(), client)
    assert raised.value.code == "private_destination"


@pytest.mark.parametrize(
    "url", ["nosuch://hush-hush", "json:///", "slack://hush-hush", "tgram://x"]
)
def test_what_apprise_does_not_know_is_no_url(url: str) -> None:
    assert failed(AppriseChannel(url=SecretStr(url))).code == "invalid_url"


@pytest.mark.parametrize("url", ["hush-hush", "", "://x", "json://a hush-hush"])
def test_what_is_no_url_at_all_is_seen_when_the_rules_load(url: str) -> None:
    with pytest.raises(ValidationError, match="is not a URL of Apprise") as raised:
        AppriseChannel(url=SecretStr(url))
    assert "hush-hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("event", "address", "reached"),
    [
        ("socket.connect", ("93.184.215.14", 443), True),
        ("socket.connect", ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", 443, 0, 0), True),
        ("socket.connect", ("127.0.0.1", 443), False),
        ("socket.connect", ("169.254.169.254", 80), False),
        ("socket.connect", ("::ffff:10.0.0.1", 443, 0, 0), False),
        ("socket.connect", ("fe80::1%eth0", 443, 0, 2), False),
        ("socket.connect", ("a.name", 443), False),
        ("socket.connect", "/dev/log", False),
        ("socket.sendto", ("10.0.0.1", 514), False),
        ("socket.sendmsg", None, True),
        ("socket.sendmsg", ("10.0.0.1", 514), False),
    ],
)
def test_every_address_is_looked_at(event: str, address: Any, reached: bool) -> None:
    guard = Guard(allow_private=False)
    if reached:
        guard(event, (socket, address))
    else:
        with pytest.raises(PermissionError):
            guard(event, (socket, address))
    assert guard.refused is not reached


@pytest.mark.parametrize(
    "event", ["subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.spawn"]
)
def test_no_program_is_started(event: str) -> None:
    with pytest.raises(PermissionError):
        Guard(allow_private=True)(event, ())


def test_a_socket_of_this_machine_is_never_reached() -> None:
    with pytest.raises(PermissionError):
        Guard(allow_private=True)("socket.connect", (socket, "/run/x.sock"))


@pytest.mark.parametrize("plain", [False, True])
def test_an_exception_text_can_ping_nobody(plain: bool) -> None:
    told = payload(an_alert(title=ATTACK, why=ATTACK, team=ATTACK, plain=plain))
    shown = f"{told['title']}\n{told['body']}"
    assert [ping for ping in ("<!", "<@", "<http", "@everyone", "@U1") if ping in shown] == []


def test_a_long_text_is_short_enough() -> None:
    told = payload(an_alert(title="x" * 200_000, others=crowd("y" * 9_000)))
    assert (len(told["title"]), len(told["body"]) < 10_000) == (250, True)


def test_without_the_extra_it_is_unconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "channels: {x: {apprise: {url: 'json://h/hush-hush'}}}"
    assert isinstance(the_rules(text).channels["x"], AppriseChannel)
    monkeypatch.setitem(sys.modules, "apprise", None)
    channel = the_rules(text).channels["x"]
    assert isinstance(channel, Unconfigured)
    assert channel.reason.startswith("the package apprise is not installed: pip install")
    assert b"hush-hush" not in loaded(text).keepable["rules.yaml"]
