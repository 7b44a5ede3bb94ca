"""A vendor takes a message and its answer is lost: told again, both messages say they are one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from service.simulators.faults import Fault, parse_fault
from service.simulators.server import Simulated, served
from service.simulators.vendors import VENDORS
from tests.running import Service, a_service, spilled_in, wait_for

RULES = """version: 1
teams: {{payments: {{receivers: [{{channel: there}}]}}}}
channels:
  there: {{{there}}}
  elsewhere: {{{elsewhere}}}
rules: [{{path: /shop/payments/, owner: payments}}]
policy: {{fallback_receivers: [elsewhere]}}
"""


class Vendor(NamedTuple):
    settings: str  # of a channel that leads to it
    heard: list[str]  # the delivery that each message which it took names


@contextmanager
def a_vendor(name: str, *faults: Fault | None) -> Iterator[Vendor]:
    """faults: what it does at the first request, at the second, …, and from the last one on."""
    heard: list[str] = []
    left = list(faults)

    def told(_path: str, body: bytes, answered: httpx.Response | None) -> None:
        if answered is None or answered.is_success:
            heard.extend(re.findall("Delivery ([0-9a-f-]{36})", body.decode()))
        simulated.fault = left.pop(0) if len(left) > 1 else left[0]

    simulated = Simulated(VENDORS[name], told, left.pop(0))
    with served(simulated) as url:
        yield Vendor(VENDORS[name].channel.format(url=url), heard)


@contextmanager
def telling(folder: Path, there: Vendor, elsewhere: Vendor) -> Iterator[Service]:
    rules = RULES.format(there=there.settings, elsewhere=elsewhere.settings)
    with a_service(folder, rules, POINTSMAN_ALLOW_PRIVATE_DESTINATIONS="true") as service:
        yield service


@pytest.mark.parametrize("name", ["discord", "msteams", "slack"])
def test_both_messages_name_the_one_delivery(name: str, tmp_path: Path) -> None:
    with (
        a_vendor(name, parse_fault("lost"), None) as losing,
        a_vendor("discord", None, None) as well,
        telling(tmp_path, losing, well) as service,
    ):
        service.post(spilled_in(1)[1])
        first, second = wait_for(lambda: len(losing.heard) > 1 and losing.heard)
        books = service.settled_books()
        delivery = service.read(f"/api/v1/deliveries/{first}")
    assert first == second
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)
    assert (well.heard, books["unaccounted"]) == ([], 0)


def test_the_fallback_is_told_with_the_id_that_was_lost(tmp_path: Path) -> None:
    with (
        a_vendor("discord", parse_fault("lost"), parse_fault("410")) as leaving,
        a_vendor("msteams", None, None) as well,
        telling(tmp_path, leaving, well) as service,
    ):
        service.post(spilled_in(1)[1])
        (said,) = wait_for(lambda: leaving.heard)
        wait_for(lambda: said in well.heard)
        service.settled_books()
        delivery = service.read(f"/api/v1/deliveries/{said}")
    assert (delivery["state"], delivery["fallback"]) == ("dead", "elsewhere")
    assert well.heard.count(said) == 1
