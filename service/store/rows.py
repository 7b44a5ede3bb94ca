"""Rows ↔ records. "" in a team's column is nobody; moments are microseconds."""

import secrets
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from routers.breaker import Breaker
from routers.group import Audience, Group, Ignored
from routers.notification import Notification, State
from service.store.tables import from_us, to_us

Row = Mapping[str, Any]
_GROUP = [name for name in Group.__struct_fields__ if name != "audiences"]  # as columns


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One notification on its way to one receiver."""

    id: str  # UUIDv7; the webhook-id
    notification: Notification
    state: State = "pending"
    attempts: int = 0
    plain: bool = False
    tried: tuple[str, ...] = ()  # receivers it was dead at before this one
    fallback: str | None = None  # the receiver that was told instead, once this one is dead
    carrier: str | None = None  # the delivery whose message tells this one too
    created_at: datetime
    since: datetime  # its lifetime counts from here: as it was queued, or last retried by hand
    due_at: datetime  # while leased: when the lease ends
    settled_at: datetime | None = None
    last_code: str | None = None
    last_error: str | None = None
    external_id: str | None = None
    storm: str | None = None  # the storm that it tells of, as the carrier or carried

    def leased(self, until: datetime) -> "Delivery":
        """Claimed for one more attempt."""
        return msgspec.structs.replace(
            self, state="leased", due_at=until, attempts=self.attempts + 1
        )

    @property
    def about(self) -> dict[str, str | None]:
        """As the log names it."""
        told = self.notification
        return {
            "id": self.id,
            "channel": told.receiver,
            "team": told.team,
            "event_id": told.event_id,
        }


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A source map that is kept, without its content."""

    project: str
    release: str
    name: str  # the bundle's: service.sourcemaps.frames.bundle_name
    sha256: str
    size: int  # bytes, as it was uploaded
    created_at: datetime


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An envelope that waits for the upstream."""

    id: str  # UUIDv7
    received_at: datetime
    error: bool  # whether it holds an error event
    sealed: bytes


def new_id() -> str:
    """A UUIDv7: sorts by time. Spec: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7"""
    now = time.time_ns() // 1_000_000
    digits = f"{now:012x}7{secrets.randbits(12):03x}{0b10 << 62 | secrets.randbits(62):016x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def group_row(group: Group) -> dict[str, Any]:
    row = msgspec.structs.asdict(group)
    row["team"] = group.team or ""
    row["first_seen"] = to_us(group.first_seen)
    row["last_seen"] = to_us(group.last_seen)
    row["resolved_at"] = _us(group.resolved_at)
    row["ignored"] = msgspec.json.encode(group.ignored) if group.ignored else None
    row["woken_at"] = _us(group.woken_at)
    row["moved_at"] = _us(group.moved_at)
    return row


def group_record(row: Row, audiences: Iterable[Row] = ()) -> Group:
    return Group(
        **{
            **{name: row[name] for name in _GROUP},
            "team": row["team"] or None,
            "first_seen": from_us(row["first_seen"]),
            "last_seen": from_us(row["last_seen"]),
            "resolved_at": _moment(row["resolved_at"]),
            "ignored": row["ignored"] and msgspec.json.decode(row["ignored"], type=Ignored),
            "woken_at": _moment(row["woken_at"]),
            "moved_at": _moment(row["moved_at"]),
            "audiences": tuple(map(audience_record, audiences)),
        }
    )


def audience_row(group_id: str, audience: Audience) -> dict[str, Any]:
    return {
        "group_id": group_id,
        "environment": audience.environment,
        "team": audience.team or "",
        "times_seen": audience.times_seen,
        "sequence": audience.sequence,
        "last_notified_at": _us(audience.last_notified_at),
        "last_reason": audience.last_reason,
        "threshold": audience.threshold,
    }


def audience_record(row: Row) -> Audience:
    return Audience(
        team=row["team"] or None,
        environment=row["environment"],
        times_seen=row["times_seen"],
        sequence=row["sequence"],
        last_notified_at=_moment(row["last_notified_at"]),
        last_reason=row["last_reason"],
        threshold=row["threshold"],
    )


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    told = delivery.notification
    return {
        "id": delivery.id,
        "group_id": told.group,
        "receiver": told.receiver,
        "team": told.team or "",
        "reason": told.reason,
        "notification": msgspec.json.encode(told),
        "state": delivery.state,
        "attempts": delivery.attempts,
        "plain": int(delivery.plain),
        "tried": ",".join(delivery.tried),
        "fallback": delivery.fallback,
        "carrier": delivery.carrier,
        "created_at": to_us(delivery.created_at),
        "since": to_us(delivery.since),
        "due_at": to_us(delivery.due_at),
        "settled_at": _us(delivery.settled_at),
        "last_code": delivery.last_code,
        "last_error": delivery.last_error,
        "external_id": delivery.external_id,
        "storm": delivery.storm,
    }


def delivery_record(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        notification=msgspec.json.decode(row["notification"], type=Notification),
        state=row["state"],
        attempts=row["attempts"],
        plain=bool(row["plain"]),
        tried=tuple(filter(None, row["tried"].split(","))),
        fallback=row["fallback"],
        carrier=row["carrier"],
        created_at=from_us(row["created_at"]),
        since=from_us(row["since"]),
        due_at=from_us(row["due_at"]),
        settled_at=_moment(row["settled_at"]),
        last_code=row["last_code"],
        last_error=row["last_error"],
        external_id=row["external_id"],
        storm=row["storm"],
    )


def artifact_row(artifact: Artifact) -> dict[str, Any]:
    return msgspec.structs.asdict(artifact) | {"created_at": to_us(artifact.created_at)}


def artifact_record(row: Row) -> Artifact:
    return Artifact(**{**row, "created_at": from_us(row["created_at"])})


def breaker_row(receiver: str, breaker: Breaker) -> dict[str, Any]:
    return msgspec.structs.asdict(breaker) | {
        "receiver": receiver,
        "since": to_us(breaker.since),
        "opened_at": _us(breaker.opened_at),
        "probe_at": _us(breaker.probe_at),
    }


def breaker_record(row: Any) -> Breaker:
    moments = {name: _moment(row[name]) for name in ("since", "opened_at", "probe_at")}
    return msgspec.convert(
        {name: row[name] for name in ("failures", "code", "probes")} | moments, Breaker
    )


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else to_us(moment)


def _moment(moment: int | None) -> datetime | None:
    return None if moment is None else from_us(moment)
