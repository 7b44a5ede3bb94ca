"""The promises of the channels that open incidents, each against its vendor's simulator."""

import json
from typing import Any

import httpx
import pytest

from tests.routers.simulators import SIMULATORS
from tests.routers.simulators.sending import Clock, send
from tests.routers.test_channels import HUGE, built
from tests.routers.test_slack import ATTACK

NAMES = sorted(SIMULATORS)
ODD = [HUGE, "\N{THUMBS UP SIGN}\u00e9" * 9_000, '"\\' * 9_000, "\u6f22" * 9_000, "a\n`" * 9_000]


def everywhere(text: str) -> dict[str, Any]:
    frame = {"path": text, "function": text, "lineno": text}
    named = ("title", "team", "culprit", "why", "environment", "release")
    owned = {"frame": frame, "feature": text, "criticality": text}
    return {**dict.fromkeys(named, text), "ownership": owned}


def sent(name: str, **over: Any) -> bytes:
    """What the vendor took."""
    bodies: list[bytes] = []
    simulator = SIMULATORS[name](Clock())

    def take(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return simulator(request)

    send(built(name), take, **over)
    return bodies[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("odd", ODD, ids=["long", "wide", "escaped", "multibyte", "lines"])
def test_no_text_breaks_a_limit(name: str, plain: bool, odd: str) -> None:
    assert len(sent(name, **everywhere(odd), plain=plain)) < 50_000


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("plain", [False, True])
def test_an_exception_text_can_ping_nobody(name: str, plain: bool) -> None:
    told = json.dumps(json.loads(sent(name, **everywhere(ATTACK), plain=plain)), ensure_ascii=False)
    assert "boom" in told
    pings = ("<!", "<@", "<http", "@everyone", "@U123")
    assert [ping for ping in pings if ping in told] == []


@pytest.mark.parametrize("name", NAMES)
def test_plain_is_shorter_and_names_the_error(name: str) -> None:
    plain = sent(name, plain=True)
    assert b"KeyError: 'DE'" in plain
    assert len(plain) < len(sent(name))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_of_the_feature_is_told(name: str) -> None:
    told = sent(name, ownership={"feature": "invoicing", "criticality": "high"})
    known = (b"payments", b"invoicing", b"high", b"production", b"2026.3.1", b"/groups/0123456789")
    assert [fact for fact in known if fact not in told] == []
