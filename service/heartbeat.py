"""A dead-man's switch: a URL is asked each minute, and whoever listens there tells of its silence.

Only while an event that came now would be committed and told: an empty commit must come through,
and the worker's thread live. https://healthchecks.io/docs/http_api/
"""

import logging
from collections.abc import Callable
from datetime import datetime

import httpx
from pydantic import SecretStr

from routers.errors import DeliveryError
from routers.http import ping
from service.store.writer import StoreUnavailableError, Writer
from service.watch import Watch
from service.worker import Worker

LOG = logging.getLogger(__name__)
SECONDS = 60.0  # between two beats


class Heartbeat(Watch):
    def __init__(
        self,
        url: SecretStr,
        writer: Writer,
        worker: Worker,
        client: httpx.Client,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        """url: empty, and nobody listens."""
        super().__init__("heartbeat", SECONDS)
        self._url = url
        self._writer = writer
        self._worker = worker
        self._client = client
        self._clock = clock

    def look(self) -> None:
        """Beat, or say why not."""
        url = self._url.get_secret_value()
        if not url:
            return
        if reason := self._unwell():
            LOG.warning("heartbeat_withheld", extra={"reason": reason})
            return
        try:
            ping(self._client, url, now=self._clock())
        except DeliveryError as error:
            LOG.warning("heartbeat_failed", extra={"reason": error.code})

    def _unwell(self) -> str | None:
        if not self._worker.is_alive:
            return "worker_ended"
        try:
            self._writer.run(lambda _tx: None)
        except StoreUnavailableError:
            return "store_unavailable"
        return None
