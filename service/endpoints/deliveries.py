"""Deliveries: what was told, to whom, when, why, or why not. And the books."""

from typing import Any, Literal

import msgspec
from fastapi import APIRouter, HTTPException

from service.acts import audited
from service.endpoints.base import Admin, By, Cursor, Limit, found, plain
from service.runtime import Runtime
from service.store.rows import Delivery
from service.store.transaction import Transaction

endpoints = APIRouter(prefix="/api/v1", tags=["deliveries"])


@endpoints.get("/deliveries")
def deliveries(
    house: Admin,
    state: Literal["pending", "delivered", "merged", "dead"] | None = None,
    group: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The newest first."""
    page = house.store.deliveries(limit, cursor, state=state, group=group)
    return {"deliveries": [delivery_json(one) for one in page.items], "next": page.next}


@endpoints.get("/deliveries/{id}")
def delivery(house: Admin, id: str) -> dict[str, Any]:  # noqa: A002 the path's own word
    """What became of one."""
    return delivery_json(found(house.store.delivery(id), "delivery"))


@endpoints.post("/deliveries/{id}/retry")
def retry(house: Admin, id: str, by: By = "api") -> dict[str, Any]:  # noqa: A002 the path's own word
    """Try a dead delivery again, now."""
    return delivery_json(found(retry_delivery(house, id, by=by), "delivery"))


@endpoints.get("/accounting")
def accounting(house: Admin) -> dict[str, Any]:
    """The books: every accepted event has one outcome, every queued notification one state.

    lost_by_clients: errors that SDKs say they never sent, since the service started.
    """
    return house.store.accounting() | {"lost_by_clients": house.telemetry.errors_lost}


def retry_delivery(house: Runtime, id: str, *, by: str) -> Delivery | None:  # noqa: A002
    """None: there is no such delivery. Raises HTTPException 409 where it is not dead."""

    def work(tx: Transaction) -> Delivery | None:
        delivery = tx.delivery(id)
        if delivery is None or delivery.state != "dead":
            return delivery
        again = msgspec.structs.replace(
            delivery,
            state="pending",
            due_at=house.clock(),
            since=house.clock(),
            settled_at=None,
            attempts=0,
            plain=False,
            storm=None,
        )
        tx.put_delivery(again)
        house.breakers.ask(tx, again.notification.receiver, house.clock())
        tx.audit(audited(house.clock(), by, "retry", id, group=again.notification.group))
        return again

    delivery = house.writer.run(work)
    if delivery is not None and (delivery.state != "pending" or delivery.attempts):
        raise HTTPException(409, f"only a dead delivery can be tried again; it is {delivery.state}")
    return delivery


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    shown: dict[str, Any] = plain(delivery)
    return shown | {"state": "pending" if delivery.state == "leased" else delivery.state}
