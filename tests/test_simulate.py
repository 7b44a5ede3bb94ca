"""`pointsman simulate`: every channel can be rehearsed, and every fault."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
import yaml

from routers.channels import CHANNELS
from routers.channels.base import Channel
from routers.errors import DeliveryError
from routers.http import make_client
from service.simulators.discord import Discord
from service.simulators.faults import Fault, answer, parse_fault
from service.simulators.server import Simulated, served
from service.simulators.vendors import VENDORS, readable
from tests.alerts import an_alert
from tests.running import ROOT, environment
from tests.running_cli import pointsman


def pointed_at(name: str, url: str) -> Channel:
    """A channel with the settings that the word prints."""
    settings = yaml.safe_load(VENDORS[name].channel.format(url=url))
    return CHANNELS[name].model_validate(settings[name], strict=False)


@contextmanager
def rehearsed(name: str, fault: str = "") -> Iterator[tuple[Channel, list[bytes]]]:
    told: list[bytes] = []
    simulated = Simulated(
        VENDORS[name],
        lambda _path, body, _answered: told.append(body),
        parse_fault(fault) if fault else None,
    )
    with served(simulated) as url:
        yield pointed_at(name, url), told


@pytest.mark.parametrize("name", sorted(VENDORS))
def test_every_vendor_takes_an_alert_and_shows_what_it_says(name: str) -> None:
    with rehearsed(name) as (channel, told), make_client(allow_private=True) as client:
        channel.send(an_alert(), client)
    (body,) = told
    assert "KeyError: 'DE'" in "\n".join(readable(VENDORS[name], body))


@pytest.mark.parametrize("name", sorted(VENDORS))
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("429", "rate_limited"),
        ("500", "server_error"),
        ("410", "gone"),
        ("401:1h", "unauthorized"),
        ("hang", "timeout"),
        ("lost", "connection_lost"),
    ],
)
def test_every_fault_can_be_rehearsed(name: str, fault: str, code: str) -> None:
    quick = make_client(allow_private=True, limit=timedelta(seconds=0.2))
    refused = pytest.raises(DeliveryError)
    with rehearsed(name, fault) as (channel, _), quick as client, refused as failed:
        channel.send(an_alert(), client)
    assert failed.value.code == code


def test_what_loses_its_answers_has_taken_what_it_was_told() -> None:
    told: list[bytes] = []
    vendor, made = VENDORS["discord"], Discord("/api/webhooks/1/x")
    simulated = Simulated(
        vendor._replace(make=lambda _clock: made),
        lambda _path, body, _answered: told.append(body),
        parse_fault("lost"),
    )
    refused = pytest.raises(DeliveryError)
    with served(simulated) as url, make_client(allow_private=True) as client, refused:
        pointed_at("discord", url).send(an_alert(), client)
    assert [json.loads(body) for body in told] == made.taken != []


def test_a_fault_ends() -> None:
    fault = parse_fault("429:2m")
    assert (fault.left(timedelta(seconds=100)), fault.left(timedelta(minutes=3))) == (
        timedelta(seconds=20),
        timedelta(),
    )
    limited = answer(fault, timedelta(seconds=20))
    assert limited is not None
    assert limited.headers["Retry-After"] == "20"
    assert Fault(500).left(timedelta(days=9)) > timedelta(days=9)


@pytest.mark.parametrize("text", ["200", "hung", "429:soon", ":2m", "4290"])
def test_what_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no fault|duration"):
        parse_fault(text)


def test_a_message_to_slack_reads_as_it_is_shown_there() -> None:
    assert readable(VENDORS["slack"], b'{"text": "&lt;!channel&gt; &amp;amp;"}') == [
        "<!channel> &amp;"
    ]


@pytest.mark.parametrize("name", sorted(VENDORS))
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"[1]", b"\xff", b'{"text": 1}', b"null"])
def test_what_the_vendor_is_never_told_is_refused_and_does_no_harm(name: str, body: bytes) -> None:
    told: list[httpx.Response | None] = []
    simulated = Simulated(VENDORS[name], lambda _path, _body, answered: told.append(answered))
    with served(simulated) as url:
        path = VENDORS[name].channel.partition("{url}")[2].split(",")[0].rstrip("}'\"]")
        httpx.post(url + path, content=body, trust_env=False)
    assert len(told) == 1
    assert readable(VENDORS[name], body) == []


def test_a_length_that_is_no_number_is_refused() -> None:
    told: list[httpx.Response | None] = []
    simulated = Simulated(VENDORS["slack"], lambda _path, _body, answered: told.append(answered))
    with (
        served(simulated) as url,
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as line,
    ):
        line.sendall(b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.0 400")
    assert told == []


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--port", "80000"), "'--port'"),
        (("--port", "-1"), "'--port'"),
        (("--fault", "200"), "--fault: "),
        (("--fault", "429:soon"), "--fault: "),
    ],
)
def test_an_option_that_cannot_be_is_misuse(option: tuple[str, str], said: str) -> None:
    result = pointsman("simulate", "slack", *option)
    assert result.exit_code == 2
    assert said in result.talk


def test_the_word_prints_each_message_and_no_secret() -> None:
    command = [sys.executable, "-m", "service.cli", "simulate", "discord", "--port", "0", "--json"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    url = process.stderr.readline().split()[2].rstrip(".")
    with make_client(allow_private=True) as client:
        pointed_at("discord", url).send(an_alert(), client)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    said = json.loads(out)
    assert (said["status"], said["path"], process.returncode) == (200, "/api/webhooks/1", 0)
    assert said["told"][0] == "New error: KeyError: 'DE'"
