"""Real events of a real SDK, each sent as one of its own: a fresh id, and the group that is asked.

6 KB as it was captured; 47 KB: a request of FastAPI's, without the outermost frames it had more.
"""

import gzip
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.load import Request
from matchers.event import Event
from service.ingest import sentry_envelope
from service.ingest.base import Request as AsRead

CAPTURES = Path(__file__).parent.parent / "tests" / "data" / "captures"
LARGE = 47_000  # bytes
_ID, _GROUP = "0" * 32, "QQQQQQQQ"

Groups = Callable[[], int]


def small() -> bytes:
    """An envelope with one event."""
    return _marked(_event((CAPTURES / "sentry-python-plain" / "01.body").read_bytes()))


def large() -> bytes:
    raw = (CAPTURES / "sentry-python-fastapi" / "01.body").read_bytes()
    event = _event(gzip.decompress(raw))
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    while len(_marked(event)) > LARGE:
        del frames[0]
    return _marked(event)


def parsed(envelope: bytes) -> Event:
    """As the door hands it on."""
    request = AsRead(content_type="", project="1", received_at=datetime.now(UTC))
    return sentry_envelope.parse(envelope, request).events[0]


def requests(envelope: bytes) -> Callable[[int], Request]:
    """By the number of its group."""
    head = (
        "POST /api/1/envelope/ HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/x-sentry-envelope\r\n"
        "X-Sentry-Auth: Sentry sentry_key=any, sentry_version=7, sentry_client=sentry.python/2.75.0"
        f"\r\nContent-Length: {len(envelope)}\r\n\r\n"
    ).encode()
    return _filled(head + envelope)


def stores(envelope: bytes) -> Callable[[int], Request]:
    """The same event alone, as JSON."""
    event = envelope.split(b"\n", 2)[2]
    head = (
        "POST /api/1/store/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(event)}\r\n\r\n"
    ).encode()
    return _filled(head + event)


def one_group() -> int:
    return 0


def of(groups: int) -> Groups:
    numbers = count()
    return lambda: next(numbers) * 7_919 % groups


def all_distinct(start: int = 1_000_000) -> Groups:
    numbers = count(start)
    return lambda: next(numbers)


def _filled(request: bytes) -> Callable[[int], Request]:
    ends = request.split(_GROUP.encode())
    pieces = [piece.split(_ID.encode()) for piece in ends]

    def fill(group: int) -> Request:
        name, id_ = _letters(group), uuid.uuid4().hex.encode()
        return [name.join(id_.join(piece) for piece in pieces)]

    return fill


def _letters(number: int) -> bytes:
    """A name without digits, as functions and exceptions have: numbers would not tell groups."""
    name = bytearray()
    for _ in _GROUP:
        number, letter = divmod(number, 20)
        name.append(ord("a") + letter)
    return bytes(name)


def _event(envelope: bytes) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(envelope.split(b"\n")[2])
    return event


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _marked(event: dict[str, Any]) -> bytes:
    """As an envelope; the thrown exception's type and last function name the group."""
    thrown = event["exception"]["values"][-1]
    last = thrown["stacktrace"]["frames"][-1]
    type_, function = str(thrown["type"]), str(last["function"])
    named = thrown | {
        "type": f"{type_.removesuffix('Error')}{_GROUP}Error",
        "stacktrace": {
            "frames": [
                *thrown["stacktrace"]["frames"][:-1],
                last | {"function": f"{function.split(_GROUP)[0]}{_GROUP}"},
            ]
        },
    }
    values = [*event["exception"]["values"][:-1], named]
    body = _json({"event_id": _ID} | event | {"event_id": _ID, "exception": {"values": values}})
    headers = _json({"event_id": _ID, "sent_at": datetime.now(UTC).isoformat()})
    return f'{headers}\n{{"type":"event","length":{len(body)}}}\n{body}'.encode()
