"""An envelope on its way on: equal to what came, but for the tags that say whose each error is.

Every field keeps its own bytes; only `tags` is written anew, and the header's `dsn`, which names
us. `sent_at` moves by the time an envelope waited: the upstream corrects clocks by it.
Spec: https://develop.sentry.dev/sdk/data-model/envelopes/
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from matchers.ownership import Ownership
from service.ingest.base import Envelope, InvalidEventError, Passing
from service.ingest.sentry_repair import load_object

TAG = 200  # characters of a tag's value
Tags = Mapping[str, str]
Raw = dict[str, msgspec.Raw]


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
    headers = _fields(envelope.headers)
    headers.pop("dsn", None)
    lines = [msgspec.json.encode(headers)]
    for index, item in enumerate(envelope.items):
        added = of_item.get(index)
        lines += _with_tags(item, added) if added else (item.headers, item.payload)
    return b"\n".join(lines) + b"\n"


def sent_later(envelope: bytes, waited: timedelta) -> bytes:
    """As if its sender had sent it by so much later."""
    line, _, rest = envelope.partition(b"\n")
    headers = _fields(line)
    try:
        sent_at = datetime.fromisoformat(msgspec.json.decode(headers["sent_at"], type=str))
        headers["sent_at"] = _raw((sent_at + waited).isoformat())
    except (KeyError, ValueError, OverflowError):  # msgspec's errors are ValueErrors
        return envelope
    return msgspec.json.encode(headers) + b"\n" + rest


def alone(event_id: str, payload: bytes, received_at: datetime) -> Envelope:
    """The envelope of an event that came without one, at the older door."""
    headers = msgspec.json.encode({"event_id": event_id})
    item = msgspec.json.encode({"type": "event", "length": len(payload)})
    return Envelope(received_at, headers, (Passing(item, payload),), (0,))


def _with_tags(item: Passing, tags: Tags) -> tuple[bytes, bytes]:
    payload = _payload(item.payload, tags)
    headers = _fields(item.headers)
    headers["length"] = _raw(len(payload))
    return msgspec.json.encode(headers), payload


def _payload(payload: bytes, tags: Tags) -> bytes:
    try:
        fields = _fields(payload)
        fields["tags"] = _raw(_merged(msgspec.json.decode(fields.get("tags", b"null")), tags))
        return msgspec.json.encode(fields)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _mended(payload, tags)


def _mended(payload: bytes, tags: Tags) -> bytes:
    """Of JSON that only lenient readers take: NaN, say. What nobody reads stays as it is."""
    try:
        tree = load_object(payload)
    except InvalidEventError:
        return payload
    return json.dumps({**tree, "tags": _merged(tree.get("tags"), tags)}).encode()


def _merged(sent: Any, tags: Tags) -> Any:
    """In the sender's own form: an object, or a list of pairs."""
    if isinstance(sent, list):
        return [pair for pair in sent if not _names(pair, tags)] + [list(t) for t in tags.items()]
    return {**(sent if isinstance(sent, dict) else {}), **tags}


def _names(pair: Any, tags: Tags) -> bool:
    return isinstance(pair, list) and bool(pair) and pair[0] in tags


def _fields(line: bytes) -> Raw:
    return msgspec.json.decode(line, type=Raw)


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
