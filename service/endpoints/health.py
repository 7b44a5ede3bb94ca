"""Live, ready, metrics."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from routers.configured import Unconfigured
from service.endpoints.base import Admin, Open
from service.runtime import Runtime
from service.store.database import reason

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
    return JSONResponse({"status": "ready", "warnings": list(_warnings(house))})


@endpoints.get("/metrics")
def metrics(house: Admin) -> Response:
    """Prometheus."""
    telemetry = house.telemetry
    telemetry.breakers(house.breakers.open())
    telemetry.intake_lag.set(house.writer.lag.seconds())
    try:
        _read_books(house)
        telemetry.store_available.set(1)
    except SQLAlchemyError:  # when what is counted in memory is wanted most
        telemetry.store_available.set(0)
    return Response(telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)


for path, answer in (("/healthz", live), ("/readyz", ready)):  # as some load balancers ask
    endpoints.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)


def _read_books(house: Runtime) -> None:
    telemetry, now = house.telemetry, house.clock()
    books, oldest = house.store.accounting(), house.store.oldest_pending()
    telemetry.outbox_pending.set(books["deliveries"]["pending"])
    telemetry.outbox_oldest.set((now - oldest).total_seconds() if oldest else 0)
    telemetry.unaccounted.set(books["unaccounted"])
    telemetry.dead_ends.set(house.store.dead_ends())
    telemetry.silences_active.set(house.silence_store.active(now))


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
    try:
        shut = [f"{name} ({one.code})" for name, one in house.breakers.open().items()]
        dead = house.store.dead_ends()
    except SQLAlchemyError as error:
        return [*said, f"store_unavailable: {reason(error)}"]
    if shut:
        said.append(f"breaker_open: {', '.join(shut)}")
    if dead:
        said.append(f"dead_deliveries: {dead} were told nowhere")
    if over := sum(house.quota.exceeded().values()):
        said.append(f"over_quota: {over} events were counted and not stored")
    if house.forwarder and (problem := house.forwarder.standing.problem):
        waiting = house.forwarder.standing.waiting
        said.append(f"upstream: {problem}; {waiting} envelopes wait")
    return said
