"""What an adapter is: a translator from one wire format to Events, and how it answers.

    InvalidEventError   the sender's body is not what it says; carries the place

Adapters are pure functions of the (already unpacked) body. Body limits, codecs, keys, metrics
and the error answer come from the one endpoint that all adapters share.

Of extra values, requests, users, variables and breadcrumbs an adapter keeps what the rules file
makes visible, and nothing else: `Event(context=visible_of(tree, request.visible), …)` of
service/ingest/context.py. Nothing is visible by default, so it need not even decode them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from matchers.event import Event
from matchers.visible import NOTHING, Visible

PROJECT = 100  # characters of its number or name


class InvalidEventError(Exception):
    """`code` is the word counted in events_rejected_total; `place` a JSON path, or None."""

    def __init__(self, code: str, detail: str, place: str | None = None) -> None:
        self.code = code
        self.detail = detail
        self.place = place
        super().__init__(f"{place}: {detail}" if place else detail)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter may look at besides the body."""

    content_type: str  # without parameters, lower case; "" where missing
    project: str  # from the path, else the key's, else "1"
    received_at: datetime
    headers: Mapping[str, str] = {}  # names in lower case
    visible: Visible = NOTHING  # `visible:` of the rules in force
    drift: timedelta = timedelta()  # how far the sender's clock is behind ours
    wants_all: bool = False  # also what is no error: it goes on to an upstream
    rate_limits: str | None = None  # of that upstream, never for errors


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a batch that was refused in its place."""

    index: int
    code: str
    detail: str


class Passing(msgspec.Struct, frozen=True):
    """An item of an envelope, as it came."""

    headers: bytes  # one line of JSON
    payload: bytes


class Envelope(msgspec.Struct, frozen=True):
    received_at: datetime
    headers: bytes  # one line of JSON
    items: tuple[Passing, ...]
    events: tuple[int, ...]  # which items the accepted events are, in their order


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    events: tuple[Event, ...] = ()
    problems: tuple[Problem, ...] = ()
    dropped: Mapping[str, int] = {}  # what is answered 200 and not routed, by item type
    event_id: str | None = None  # what the protocol answers with where no event came
    key: str | None = None  # the ingest key that the body names
    onward: Envelope | None = None  # what goes on to the upstream
    lost: Mapping[tuple[str, str], int] = {}  # (reason, category): what the sender threw away


class Handled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one accepted event, for an adapter's answer."""

    id: str
    group: str | None  # None: kept undecided until rules load, or spooled
    owner: str | None
    step: str | None


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: Any  # bytes as they are, with their Content-Type in the headers; all else as JSON
    headers: Mapping[str, str] = {}


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    name: str  # the metric label
    paths: tuple[str, ...]  # FastAPI path templates, each with its last slash
    takes: tuple[str, ...] = ("application/json",)  # media types, for the OpenAPI document
    parse: Callable[[bytes, Request], Parsed]  # raises InvalidEventError, body.TooLargeError
    reply: Callable[[Parsed, tuple[Handled, ...], Request], Answer]
    refuse: Callable[[int, str, Request], Answer]  # status, detail
    # headers, body, the hook's secret; None: its senders have ingest keys
    genuine: Callable[[Mapping[str, str], bytes, str], bool] | None = None
    comes_again: bool = False  # its senders do after a 503: what would be spooled is refused
    keyed_body: bool = False  # its bodies may name the ingest key, so that it is asked afterwards
    dsn: bool = (
        False  # its senders are given a DSN: a path may stand before it, its keys must agree
    )
