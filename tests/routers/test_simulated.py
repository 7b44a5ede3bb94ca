"""What channels promise, each form of each against its vendor's simulator."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from routers.pace import filled, spent, wait
from service.simulators import Handler
from service.simulators.vendors import VENDORS
from tests.alerts import NOW
from tests.routers.simulators.sending import Clock, send
from tests.routers.test_channels import FORMS, HUGE, built, kind
from tests.routers.test_slack import ATTACK

NAMES = sorted(name for name in FORMS if name.split()[0] in VENDORS)
INCIDENTS = [name for name in NAMES if not kind(name).merges]
ODD = [HUGE, "\N{THUMBS UP SIGN}\u00e9" * 9_000, '"\\' * 9_000, "\u6f22" * 9_000, "a\n`" * 9_000]


def everywhere(text: str) -> dict[str, Any]:
    frame = {"path": text, "function": text, "lineno": text}
    named = ("title", "team", "culprit", "why", "environment", "release")
    owned = {"frame": frame, "feature": text, "criticality": text}
    return {**dict.fromkeys(named, text), "ownership": owned}


def simulated(name: str, clock: Clock) -> Handler:
    return VENDORS[name.split()[0]].make(clock)


def sent(name: str, **over: Any) -> bytes:
    """What the vendor took."""
    bodies: list[bytes] = []
    simulator = simulated(name, Clock())

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


@pytest.mark.parametrize("name", INCIDENTS)  # a chat's own page says what pings there
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


@pytest.mark.parametrize("name", INCIDENTS)
def test_what_is_known_of_the_feature_is_told(name: str) -> None:
    told = sent(name, ownership={"feature": "invoicing", "criticality": "high"})
    known = (b"payments", b"invoicing", b"high", b"production", b"2026.3.1", b"/groups/0123456789")
    assert [fact for fact in known if fact not in told] == []


@pytest.mark.parametrize("name", [name for name in NAMES if kind(name).pace])
def test_at_its_pace_no_vendor_ever_says_too_often(name: str) -> None:
    clock, pace = Clock(), kind(name).pace
    assert pace is not None
    simulator, bucket, told = simulated(name, clock), None, 0
    while clock.now < NOW + timedelta(minutes=3):
        bucket = filled(bucket, pace, clock.now)
        if bucket.tokens >= 1:
            send(built(name), simulator, clock, group=f"{told:016x}")
            bucket, told = spent(bucket), told + 1
        else:
            clock.passes(seconds=wait(bucket, pace).total_seconds() + 1e-6)
    assert told > 2.5 * 60 * pace.per_second


def test_what_opens_incidents_never_makes_one_of_two_groups() -> None:
    assert INCIDENTS == ["alertmanager", "incident_io", "opsgenie", "pagerduty"]
