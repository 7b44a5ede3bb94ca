"""An event past its limits is cut, and says so: its sender would throw it away if it were refused.

Frames go from the outside, since the one nearest the raise decides. The short stacks keep theirs.
"""

from collections.abc import Iterator, Sequence

import msgspec

from matchers.event import Event, ExceptionValue, Frame
from service.ingest.limits import EVENT

LEAST = EVENT // 4  # bytes of frames that are left, however much else there is


def trimmed(event: Event) -> Event:
    """Of at most EVENT bytes as JSON, but for LEAST."""
    excess = _size(event) - EVENT
    if excess <= 0:
        return event
    sizes = [_size(error.frames) for error in event.exceptions]
    rooms = shares(sizes, max(LEAST, sum(sizes) - excess))
    kept = tuple(map(_within, event.exceptions, rooms))
    return msgspec.structs.replace(event, exceptions=kept, truncated=also(event, "frames"))


def also(event: Event, *parts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*parts, *event.truncated)))


def shares(wanted: Sequence[int], room: int) -> list[int]:
    """How much of `room` each gets: what it wants, but the largest only what the others leave."""
    given = [0] * len(wanted)
    smallest_first = sorted(range(len(wanted)), key=wanted.__getitem__)
    for done, index in enumerate(smallest_first):
        given[index] = min(wanted[index], room // (len(wanted) - done))
        room -= given[index]
    return given


def _within(error: ExceptionValue, room: int) -> ExceptionValue:
    nearest = tuple(_nearest(error.frames, room))
    return msgspec.structs.replace(error, frames=nearest[::-1])


def _nearest(frames: Sequence[Frame], room: int) -> Iterator[Frame]:
    for frame in reversed(frames):
        room -= _size(frame) + 1
        if room < 0:
            return
        yield frame


def _size(part: object) -> int:
    return len(msgspec.json.encode(part))
