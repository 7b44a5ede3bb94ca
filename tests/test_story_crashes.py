"""The service dies at each moment that matters, and is started again: nothing accepted is lost.

The moments are in tests/crashing.py; each is met exactly, none by sleeping.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.crashing import DIED
from tests.running import Receiver, Service, a_receiver, a_service, spilled_in, wait_for
from tests.test_story import rules_for
from tests.test_story_spool import locked, settled

TITLE, EVENT = spilled_in(7)
EVENT["event_id"] = "7" * 32


class House(NamedTuple):
    service: Service
    hook: Receiver
    folder: Path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """That was running before."""
    with (
        a_receiver() as hook,
        a_service(
            tmp_path, rules_for(payments=hook.url), POINTSMAN_ALLOW_PRIVATE_DESTINATIONS="true"
        ) as service,
    ):
        service.kill()
        yield House(service, hook, tmp_path)


@contextmanager
def dying(service: Service, moment: str) -> Iterator[None]:
    """What is done meanwhile is the last that it sees."""
    service.start("-m", "tests.crashing", moment)
    yield
    assert service.dies() == DIED
    service.start()


def told(house: House) -> list[tuple[str, str]]:
    """The title and the webhook-id of each message, in the end."""
    wait_for(lambda: house.hook.heard)
    house.service.settled_books()
    return [(heard.notification["title"], heard.id) for heard in house.hook.heard]


def counted(service: Service) -> tuple[int, dict[str, int], int, int]:
    """Accepted, its outcomes, how often the group was seen, unaccounted."""
    books: dict[str, Any] = settled(service)
    seen = service.groups()[TITLE]["times_seen"] if TITLE in service.groups() else 0
    return books["accepted"], books["outcomes"], seen, books["unaccounted"]


def test_before_the_commit_nothing_was_accepted_and_the_sender_knows(house: House) -> None:
    with dying(house.service, "before_commit"), pytest.raises(httpx.TransportError):
        house.service.post(EVENT)
    assert counted(house.service) == (0, {}, 0, 0)
    house.service.post(EVENT)
    assert counted(house.service) == (1, {"notified": 1}, 1, 0)
    assert [title for title, _ in told(house)] == [TITLE]


def test_after_the_commit_and_before_the_answer_it_is_accepted_once(house: House) -> None:
    with dying(house.service, "before_answer"), pytest.raises(httpx.TransportError):
        house.service.post(EVENT)
    assert counted(house.service) == (1, {"notified": 1}, 1, 0)
    house.service.post(EVENT)  # a sender that heard nothing sends it again
    assert counted(house.service) == (2, {"duplicate": 1, "notified": 1}, 1, 0)
    assert len(set(told(house))) == 1


def test_what_was_claimed_and_not_sent_is_sent(house: House) -> None:
    with dying(house.service, "after_claim"):
        house.service.post(EVENT)
    assert [title for title, _ in told(house)] == [TITLE]
    assert counted(house.service) == (1, {"notified": 1}, 1, 0)


def test_what_was_sent_and_not_settled_is_sent_again_by_the_same_id(house: House) -> None:
    with dying(house.service, "after_send"):
        house.service.post(EVENT)
    messages = told(house)
    assert (len(messages), len(set(messages))) == (2, 1)
    assert counted(house.service) == (1, {"notified": 1}, 1, 0)


@pytest.mark.parametrize("moment", ["before_commit", "before_delete"])
def test_what_was_being_drained_is_there_once(house: House, moment: str) -> None:
    house.service.start()
    with locked(house.folder):
        house.service.post(EVENT)
        house.service.kill()
    with dying(house.service, moment):
        pass
    assert counted(house.service) == (1, {"notified": 1}, 1, 0)
    assert len(set(told(house))) == 1
