"""Prometheus Alertmanager, as one that sends it alerts.

Spec: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
Two alerts of the same labels are one, so labels hold no text of an error; the error is in the
annotations. An alert ends at its endsAt: nothing tells us that an error is over, but for a person
who says so. Replicas do not pass alerts on to each other, so each is told; they agree among
themselves who notifies. Nothing there escapes what an annotation says.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Annotated, Any, ClassVar

import httpx
from pydantic import Field, field_validator

from routers.channels.base import Channel, Receipt
from routers.durations import Duration
from routers.errors import DeliveryError, RefusedError, TemporaryError
from routers.http import Destination, post_json
from routers.incident import addresses, details, story, summary
from routers.message import permalink
from routers.notification import Alert

LABELS = ("team", "project", "environment", "severity", "feature", "criticality")
OF_A_STORM = ("team", "environment", "severity")  # what does not change with its worst group
TEXT_LIMIT = 300
REPLICAS_LIMIT = 10
HOLD_MIN, HOLD_MAX = timedelta(minutes=1), timedelta(weeks=52)


class Alertmanager(Channel):
    """`alertmanager: {urls: [https://alertmanager-0.example.com]}`"""

    merges: ClassVar = False
    closes: ClassVar = True
    urls: Annotated[list[Destination], Field(min_length=1, max_length=REPLICAS_LIMIT)]
    hold: Duration = timedelta(hours=1)  # how long it fires after the last alert

    @field_validator("hold")
    @classmethod
    def _ends(cls, hold: timedelta) -> timedelta:
        if not HOLD_MIN <= hold <= HOLD_MAX:
            raise ValueError("is not between 1m and 52w")
        return hold

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        """Told when any replica took it: one that is down must not call the others again."""
        told = payload(alert, self.hold)

        def post(base: Destination) -> DeliveryError | None:
            url = base.get_secret_value().rstrip("/") + "/api/v2/alerts"
            try:
                post_json(client, url, told, now=alert.sent_at)
            except DeliveryError as error:
                return error
            return None

        with ThreadPoolExecutor(len(self.urls)) as pool:  # at once: each has 15 s, a lease 30
            failed = [error for error in pool.map(post, self.urls) if error is not None]
        if len(failed) == len(self.urls):
            raise together(failed)
        return Receipt()


def payload(alert: Alert, hold: timedelta) -> list[dict[str, Any]]:
    known = details(alert, TEXT_LIMIT)
    labelled = OF_A_STORM if alert.storm else LABELS
    labels = {name: known.pop(name) for name in labelled if name in known}
    annotations = {"summary": summary(alert, TEXT_LIMIT)}
    if not alert.plain:
        annotations |= {"description": story(alert), **known, **addresses(alert)}
    ends_after = timedelta(0) if alert.notification.closes else hold
    told: dict[str, Any] = {
        "labels": {
            "alertname": "PointsmanError",
            "fingerprint": f"storm-{alert.storm.id}" if alert.storm else alert.notification.group,
            **labels,
        },
        "annotations": annotations,
        "startsAt": alert.sent_at.isoformat(),
        "endsAt": (alert.sent_at + ends_after).isoformat(),
    }
    if link := permalink(alert):
        told["generatorURL"] = link
    return [told]


def together(errors: list[DeliveryError]) -> DeliveryError:
    """The one that leaves most hope, with what all of them said."""
    hope = max(
        errors, key=lambda one: (isinstance(one, TemporaryError), isinstance(one, RefusedError))
    )
    said = "; ".join(dict.fromkeys(map(str, errors)))
    if isinstance(hope, TemporaryError):
        return TemporaryError(hope.code, said, retry_after=hope.retry_after, pause=hope.pause)
    return type(hope)(hope.code, said)
