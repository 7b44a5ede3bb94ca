"""Live, ready, metrics."""

import logging
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from routers.configured import Unconfigured
from service.endpoints.base import Admin, Open
from service.runtime import Runtime
from service.spool import in_words
from service.store.database import reason
from service.store.spool_file import SpoolError
from service.store.tables import from_us

LOG = logging.getLogger(__name__)
endpoints = APIRouter(tags=["health"])


@endpoints.get("/healthz")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@endpoints.get("/readyz")
def ready(house: Open) -> Response:
    """Able to accept. `warnings` says what an operator should look at meanwhile."""
    if house.draining:
        return JSONResponse({"status": "draining"}, 503)
    refuses = house.spool.refusing and (house.writer.down or house.writer.behind)
    said = {"status": "refusing" if refuses else "ready", "warnings": _warnings(house)}
    return JSONResponse(said, 503 if refuses else 200)


@endpoints.get("/metrics")
def metrics(house: Admin) -> Response:
    """Prometheus. What the database would say is as it was last, while that is away."""
    house.telemetry.intake_lag.set(house.writer.lag.seconds())
    _measure_spool(house)
    house.telemetry.store_available.set(house.writer.down is None and _has_read_books(house))
    return Response(house.telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)


for path, answer in (("/healthz", live), ("/readyz", ready)):  # as some load balancers ask
    endpoints.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)


def _measure_spool(house: Runtime) -> None:
    telemetry = house.telemetry
    telemetry.spool_refusing.set(house.spool.refusing is not None)
    try:
        standing = house.spool.standing()
    except SpoolError:
        telemetry.spool_refusing.set(1)
        return
    telemetry.spool_events.set(standing.events)
    telemetry.spool_bytes.set(standing.bytes)
    telemetry.spool_aside.set(standing.aside)
    now = house.clock()
    oldest = from_us(standing.oldest) if standing.oldest is not None else now
    telemetry.spool_oldest.set(max(0.0, (now - oldest).total_seconds()))


def _has_read_books(house: Runtime) -> bool:
    """When it cannot, what is counted in memory is wanted most."""
    telemetry, now = house.telemetry, house.clock()
    try:
        books, oldest = house.store.accounting(), house.store.oldest_pending()
        dead, silences = house.store.dead_ends(), house.silence_store.active(now)
        telemetry.breakers(house.breakers.open())
    except SQLAlchemyError as error:
        LOG.error("store_unavailable", extra={"reason": reason(error)})
        return False
    telemetry.outbox_pending.set(books["deliveries"]["pending"])
    telemetry.outbox_oldest.set((now - oldest).total_seconds() if oldest else 0)
    telemetry.unaccounted.set(books["unaccounted"])
    telemetry.dead_ends.set(dead)
    telemetry.silences_active.set(silences)
    return True


def _warnings(house: Runtime) -> list[Any]:
    """Reasons only, no names of secrets: this is open to everyone."""
    status, rules = house.rules.status(), house.rules.current()
    said = []
    if status.revision is None:
        said.append("no_rules: events are kept undecided")
    elif status.quarantined:
        count = len(status.problems) - bool(status.unsynced)
        problems = "1 problem" if count == 1 else f"{count} problems"
        said.append(f"rules_quarantined: {problems}; last good rules in force")
    if status.unsynced:
        said.append("rules_not_synced: the repository cannot be fetched; last good rules in force")
    channels = rules.channels if rules else {}
    unset = sorted(name for name, one in channels.items() if isinstance(one, Unconfigured))
    if unset:
        said.append(f"unconfigured: {', '.join(unset)}")
    said += _of_spool(house)
    if over := sum(house.quota.exceeded().values()):
        said.append(f"over_quota: {over} events were counted and not stored")
    if house.forwarder and (problem := house.forwarder.standing.problem):
        waiting = house.forwarder.standing.waiting
        said.append(f"upstream: {problem}; {waiting} envelopes wait")
    if house.writer.down is not None:
        return [*said, f"store_unavailable: {house.writer.down}"]
    try:
        shut = [f"{name} ({one.code})" for name, one in house.breakers.open().items()]
        dead = house.store.dead_ends()
    except SQLAlchemyError as error:
        return [*said, f"store_unavailable: {reason(error)}"]
    if shut:
        said.append(f"breaker_open: {', '.join(shut)}")
    if dead:
        said.append(f"dead_deliveries: {dead} were told nowhere")
    return said


def _of_spool(house: Runtime) -> list[str]:
    try:
        standing = house.spool.standing()
    except SpoolError as error:
        return [f"spool_full: {error}"]
    said = []
    if waits := in_words(standing, house.clock()):
        said.append(f"spooled: {waits}")
    if house.spool.refusing:
        said.append(f"spool_full: {house.spool.refusing}")
    if standing.aside:
        said.append(f"spool_set_aside: {standing.aside} batches cannot be brought in")
    return said
