"""A notification that `closes` ends the incident that an earlier one opened, and no other."""

from collections.abc import Callable
from typing import Any

import pytest

from routers.channels import CHANNELS
from service.simulators import Alertmanager, IncidentIo, Opsgenie, PagerDuty
from tests.routers.simulators.sending import Clock, send
from tests.routers.test_channels import built

VENDORS: dict[str, Callable[[Clock], Any]] = {
    "alertmanager": Alertmanager,
    "incident_io": IncidentIo,
    "opsgenie": Opsgenie,
    "pagerduty": PagerDuty,
}


def incidents(name: str, *alerts: dict[str, Any]) -> int:
    """How many are open at the vendor once it was told these, a minute apart."""
    clock = Clock()
    vendor = VENDORS[name](clock)
    for over in alerts:
        send(built(name), vendor, clock, **over)
        clock.passes(minutes=1)
    return int(vendor.incidents())


def test_every_channel_that_opens_incidents_closes_them() -> None:
    assert [name for name, kind in CHANNELS.items() if kind.closes] == [
        name for name, kind in CHANNELS.items() if not kind.merges
    ]
    assert sorted(VENDORS) == sorted(name for name, kind in CHANNELS.items() if kind.closes)


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("plain", [False, True])
def test_what_was_opened_is_closed(name: str, plain: bool) -> None:
    closing = {"closes": True, "reason": "owner_changed", "plain": plain, "id": "0196-another"}
    assert incidents(name, {}) == 1
    assert incidents(name, {}, closing) == 0


@pytest.mark.parametrize("name", VENDORS)
def test_another_teams_incident_stays_open(name: str) -> None:
    assert incidents(name, {}, {"team": "search"}, {"closes": True}) == 1


@pytest.mark.parametrize("name", VENDORS)
def test_what_comes_after_opens_it_again(name: str) -> None:
    assert incidents(name, {}, {"closes": True}, {"reason": "regression"}) == 1


@pytest.mark.parametrize("name", VENDORS)
def test_closing_what_is_not_open_is_no_mistake(name: str) -> None:
    assert incidents(name, {"closes": True}) == 0
