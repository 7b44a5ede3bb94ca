"""An envelope on its way on: equal to what came, but for the tags that say whose each error is.

Every field keeps its own bytes; only `tags` is written anew, and the header's `dsn`, which names
us. `sent_at` moves by the time an envelope waited: the upstream corrects clocks by it.
What was accepted goes on, whatever is in it: where no tags can be added, without them.
Spec: https://develop.sentry.dev/sdk/data-model/envelopes/
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from matchers.ownership import Ownership
from service.ingest.base import Envelope, InvalidEventError, Passing
from service.ingest.json_members import members
from service.ingest.limits import EVENT, KIB
from service.ingest.sentry_repair import load_json, load_object

TAG = 200  # characters of a tag's value
MOST_TAGS = 256 * KIB  # bytes of an event's tags; what has more is no SDK's, and goes on as it came
Tags = Mapping[str, str]
Raw = dict[str, msgspec.Raw]
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_TAGS = re.compile(rb'\s*"tags"\s*:')


def tags_of(ownership: Ownership | None) -> dict[str, str]:
    """None: not decided yet."""
    if ownership is None:
        return {}
    rule = ownership.rule
    told = {
        "owner": ownership.owner,
        "owner_rule": rule and str(rule.origin),
        "feature": rule and rule.feature,
        "criticality": rule and rule.criticality,
    }
    return {name: value[:TAG] for name, value in told.items() if value}


def tagged(envelope: Envelope, tags: Sequence[Tags]) -> bytes:
    """tags: of each event, in the order of `events`."""
    of_item = dict(zip(envelope.events, tags, strict=True))
    headers = _headers(envelope.headers)
    headers.pop("dsn", None)
    lines = [msgspec.json.encode(headers)]
    for index, item in enumerate(envelope.items):
        added = of_item.get(index)
        lines += _with_tags(item, added) if added else (item.headers, item.payload)
    return b"\n".join((*lines, b""))


def sent_later(envelope: bytes, waited: timedelta) -> bytes:
    """As if its sender had sent it by so much later."""
    end = envelope.index(b"\n")
    headers = _headers(envelope[:end])
    try:
        sent_at = datetime.fromisoformat(msgspec.json.decode(headers["sent_at"], type=str))
        headers["sent_at"] = _raw((sent_at + waited).isoformat())
    except (KeyError, ValueError, OverflowError):  # msgspec's errors are ValueErrors
        return envelope
    return b"".join((msgspec.json.encode(headers), memoryview(envelope)[end:]))


def alone(event_id: str, payload: bytes, received_at: datetime) -> Envelope:
    """The envelope of an event that came without one, at the older door."""
    headers = msgspec.json.encode({"event_id": event_id})
    item = msgspec.json.encode({"type": "event", "length": len(payload)})
    return Envelope(received_at, headers, (Passing(item, payload),), (0,))


def _with_tags(item: Passing, tags: Tags) -> tuple[bytes, bytes]:
    headers, payload = _headers(item.headers), _payload(item.payload, tags)
    if not headers:
        return item.headers, item.payload
    headers["length"] = _raw(len(payload))
    return msgspec.json.encode(headers), payload


def _payload(payload: bytes, tags: Tags) -> bytes:
    if len(payload) > EVENT:
        return _spliced(payload, tags)
    try:
        fields = _fields(payload)
    except _UNREADABLE:
        return _mended(payload, tags)
    fields["tags"] = msgspec.Raw(_written(fields.get("tags", b"null"), tags))
    return msgspec.json.encode(fields)


def _spliced(payload: bytes, tags: Tags) -> bytes:
    """Of a large event nothing else is read: its fields would take many times their bytes."""
    first = at = payload.index(b"{") + 1
    for pair in members(payload):
        if found := _TAGS.match(pair):
            value = at + found.end()
            end = at + len(pair)
            return b"".join((payload[:value], _written(payload[value:end], tags), payload[end:]))
        at += len(pair) + 1
    end = payload.rindex(b"}")
    comma = b"," if payload[first:end].strip() else b""
    added = comma, b'"tags":', _written(b"null", tags)
    return b"".join((payload[:end], *added, payload[end:]))


def _mended(payload: bytes, tags: Tags) -> bytes:
    """Of JSON that only lenient readers take: NaN, say. What nobody reads stays as it is."""
    try:
        tree = load_object(payload)
        return json.dumps({**tree, "tags": _merged(tree.get("tags"), tags)}).encode()
    except (InvalidEventError, RecursionError):
        return payload


def _written(sent: bytes | msgspec.Raw, tags: Tags) -> bytes:
    """The tags as they were sent, with ours."""
    said = bytes(sent)
    if len(said) > MOST_TAGS:
        return said
    try:
        return json.dumps(_merged(load_json(said), tags)).encode()
    except (InvalidEventError, RecursionError):
        return said


def _merged(sent: object, tags: Tags) -> object:
    """In the sender's own form: an object, or a list of pairs."""
    if isinstance(sent, list):
        return [pair for pair in sent if not _names(pair, tags)] + [list(t) for t in tags.items()]
    return {**(sent if isinstance(sent, dict) else {}), **tags}


def _names(pair: object, tags: Tags) -> bool:
    return isinstance(pair, list) and pair[:1] in [[name] for name in tags]


def _headers(line: bytes) -> Raw:
    """Nothing where only its shape could be read."""
    try:
        return _fields(line.decode(errors="replace").encode())
    except _UNREADABLE:
        return {}


def _fields(text: bytes) -> Raw:
    return msgspec.json.decode(text, type=Raw)


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
