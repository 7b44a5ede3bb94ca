"""What was decided is remembered within its room, whatever the events are made of."""

import tracemalloc
from collections.abc import Callable

import pytest

from matchers.event import Event, ExceptionValue, Frame
from service.decisions import Decisions
from tests.builders import NOW, the_rules

RULES = the_rules("teams: {web: {}}\ndefault: web\n")
ROOM = 4 * 2**20
EMPTY = ExceptionValue(frames=(Frame(),) * 50)


def that_says(text: str, *exceptions: ExceptionValue) -> Event:
    return Event(
        event_id="0" * 32, timestamp=NOW, received_at=NOW, message=text, exceptions=exceptions
    )


@pytest.mark.parametrize(
    "made",
    [
        that_says,
        lambda text: that_says(text, EMPTY),
        lambda text: that_says(text, *[ExceptionValue()] * 20),
    ],
    ids=["little", "frames", "exceptions"],
)
def test_what_is_remembered_keeps_to_its_room(made: Callable[[str], Event]) -> None:
    decisions = Decisions(ROOM)
    decisions.of(made("warm"), RULES)
    tracemalloc.start()
    for number in range(1500):
        decisions.of(made(str(number)), RULES)
        assert tracemalloc.get_traced_memory()[0] < 1.25 * ROOM
    tracemalloc.stop()
