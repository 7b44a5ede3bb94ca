"""The running service: its parts, how they start, and how they stop."""

import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import httpx

from routers.http import make_client
from routers.wording import tell
from service.alerts import Alerts
from service.artifacts import Artifacts
from service.auth import Auth
from service.breakers import Breakers
from service.digest_watch import DigestWatch
from service.drain import Drain
from service.heartbeat import Heartbeat
from service.ingest.body import Hall
from service.intake import Intake
from service.lease import Lease
from service.map_folder import MapFolder
from service.opening import Opening
from service.origins import Origins
from service.quiet_watch import QuietWatch
from service.quota import Quota
from service.retention import RetentionWatch, periods
from service.rules import RulesKeeper, Status
from service.rules_sync import source_of
from service.rules_watch import RulesWatch
from service.search import SearchWatch
from service.settings import Settings
from service.silence_watch import SilenceWatch
from service.slack_hook import SlackDoor
from service.spool import Spool
from service.store.activity import ActivityStore
from service.store.artifacts import ArtifactStore
from service.store.audit import AuditStore
from service.store.backend import backend_of
from service.store.database import Attendance, open_database
from service.store.digests import DigestStore
from service.store.search import SearchStore
from service.store.silences import SilenceStore
from service.store.spool_file import SpoolFile
from service.store.store import Store
from service.store.storms import StormStore
from service.store.threads import ThreadStore
from service.store.writer import StoreUnavailableError, Writer
from service.telemetry import Telemetry
from service.thread_watch import ThreadWatch
from service.traces import Traces, Untraced
from service.upkeep import upkeep
from service.upstream.opening import open_forwarder
from service.worker import Worker

LOG = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Runtime:
    """Nothing happens before `start`. Clock, environment and network are arguments."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
        environ: Mapping[str, str] = os.environ,
        client: httpx.Client | None = None,
        upstream: httpx.Client | None = None,
        traces: Traces | None = None,
    ) -> None:
        """client: what channels post with; upstream: what goes on to Sentry."""
        self.settings = settings
        self.clock = clock
        self.telemetry = Telemetry()
        self._traces = traces or Untraced()
        self.auth = Auth(settings)
        self.origins = Origins(settings.allowed_origins)
        self.hall = Hall()
        self.engine = open_database(settings.database_url.get_secret_value())
        self.store = Store(self.engine)
        self.silence_store = SilenceStore(self.engine)
        self.audit_store = AuditStore(self.engine)
        self.search_store = SearchStore(self.engine)
        self.writer = Writer(
            self.engine,
            on_queued=lambda receivers: self.worker.wake(receivers),
            on_commit=self._traces.committing(self.telemetry.committed),
        )
        spool_file = SpoolFile(settings.spool_path)
        self.spool = Spool(spool_file, self.telemetry, capacity=settings.spool_bytes)
        self._source = source_of(settings)
        self.rules = RulesKeeper(
            settings.rules,
            self.writer,
            self.telemetry,
            source=self._source,
            environ=environ,
            clock=clock,
            restrict_team_files=settings.restrict_team_files,
        )
        follows = bool(settings.rules_repository.get_secret_value())
        self.rules_watch = RulesWatch(
            self._follow_rules,
            settings.rules_repository_poll_seconds if follows else settings.rules_poll_seconds,
            at_once=follows,
        )
        self.quota = Quota(settings.quota_per_minute)
        self.forwarder = open_forwarder(
            settings,
            client=upstream,
            writer=self.writer,
            store=self.store,
            telemetry=self.telemetry,
            clock=clock,
        )
        self.artifact_store = ArtifactStore(self.engine)
        folder = MapFolder(settings.artifacts) if settings.artifacts else None
        self.artifacts = Artifacts(self.artifact_store, self.writer, folder, clock)
        self.intake = Intake(
            self.writer,
            self.rules.current,
            self.telemetry,
            self.forwarder,
            self.artifacts,
            quota=self.quota,
            public_url=settings.base_url,
            spool=self.spool,
        )
        self.drain_watch = Drain(
            spool_file,
            self.spool,
            self.writer,
            self.rules.current,
            self.telemetry,
            public_url=settings.base_url,
            on_envelopes=self.forwarder.wake if self.forwarder else lambda: None,
        )
        self.take = self._traces.accepting(self.intake.take)
        self._client = client or make_client(allow_private=settings.allow_private_destinations)
        self.breakers = Breakers(self.engine, self.rules.current)
        self.slack_door = SlackDoor(settings.slack_signing_secret, clock)
        threads, storms = ThreadStore(self.engine), StormStore(self.engine)
        alerts = Alerts(self.store, threads, storms, clock=clock, pressable=self.slack_door.is_open)
        self.worker = Worker(
            self.writer,
            self.store,
            self.rules.current,
            self._client,
            self.telemetry,
            breakers=self.breakers,
            clock=clock,
            alerts=alerts,
            tell=self._traces.telling(tell),
            public_url=settings.base_url,
        )
        self.lease = Lease("schedulers", self.writer, clock)
        self.thread_watch = ThreadWatch(
            self.writer,
            self.store,
            threads,
            alerts,
            self.rules.current,
            self._client,
            lease=self.lease,
            clock=clock,
        )
        self.silence_watch = SilenceWatch(
            self.writer,
            self.store,
            self.silence_store,
            self.rules.current,
            self.telemetry,
            lease=self.lease,
            clock=clock,
            public_url=settings.base_url,
        )
        self.digest_watch = DigestWatch(
            self.writer,
            DigestStore(self.engine),
            self.rules.current,
            self.telemetry,
            lease=self.lease,
            clock=clock,
            public_url=settings.base_url,
        )
        self.quiet_watch = QuietWatch(
            self.writer,
            ActivityStore(self.engine),
            self.rules.current,
            self.telemetry,
            clock=clock,
            public_url=settings.base_url,
            spool=self.spool,
            lease=self.lease,
        )
        self.heartbeat = Heartbeat(
            settings.heartbeat_url, self.writer, self.worker, self._client, clock=clock
        )
        self.retention_watch = RetentionWatch(
            self.writer,
            self.telemetry,
            periods(settings),
            oldest_spooled=self.spool.oldest,
            lease=self.lease,
            clock=clock,
        )
        self.search_watch = SearchWatch(self.writer, self.search_store, self.telemetry, self.lease)
        told = (self.silence_watch, self.thread_watch, self.digest_watch, self.quiet_watch)
        kept = (self.retention_watch, self.search_watch, self.heartbeat)
        self._watches = (*told, *upkeep(self.engine, self.writer, self.lease), *kept)
        self.draining = False
        self._attendance: Attendance | None = None
        self.opening = Opening(self.engine, self._begin)

    def start(self) -> None:
        """While the database is away events are accepted, and all else begins once it is back."""
        self.opening.open_once()
        self.spool.start()
        self.writer.start(self.opening.away)
        if not self.opening.begins():
            self.rules.start()
            self.opening.begin_later()

    def _begin(self) -> None:
        """All that needs the database; first what may fail. Raises StoreUnavailableError."""
        if self._attendance is None and not backend_of(self.engine).shared:
            self._attendance = Attendance(self.engine)
        self.intake.decisions.groupings = self.store.groupings()
        if self._attendance and self._attendance.alone:
            self.writer.run(lambda tx: tx.release_leases(self.clock()))
        elif self._attendance:  # what the other is sending is its own until the lease ends
            LOG.warning("database_shared", extra={"reason": "another service has it open"})
        self.artifacts.start()
        self.rules.start()
        self._decide_kept()
        self.rules_watch.start()
        self.drain_watch.start()
        self.worker.start()
        for watch in self._watches:
            watch.start()
        if self.forwarder:
            self.forwarder.start()

    def rate_limits(self) -> str | None:
        """What of the upstream's limits an SDK is told, as its header; None: of none."""
        return self.forwarder.limits.header(self.clock()) if self.forwarder else None

    def reload_rules(self) -> Status:
        status = self.rules.load()
        self._decide_kept()
        return status

    def _follow_rules(self) -> None:
        if self.rules.follow():
            self._decide_kept()

    def _decide_kept(self) -> None:
        rules = self.rules.current()
        if rules is not None:
            self.intake.decide_kept(rules)

    def drain(self) -> None:
        """Not ready any more; nothing new is claimed. What comes in is still accepted."""
        self.draining = True
        self.worker.drain()
        if self.forwarder:
            self.forwarder.drain()

    def stop(self) -> None:
        """Finish what is in flight, commit what is waiting, close."""
        self.drain()
        self.opening.stop()
        self._source.close()
        self.drain_watch.stop()
        self.rules_watch.stop()
        for watch in self._watches:
            watch.stop()
        self.worker.stop()
        self.artifacts.stop()
        if self.forwarder:
            self.forwarder.stop()
        self._give_back()
        self.writer.stop()
        self.spool.stop()
        self._traces.close()
        self._client.close()
        self.engine.dispose()
        if self._attendance:
            self._attendance.close()

    def _give_back(self) -> None:
        try:
            self.lease.give_back()
        except StoreUnavailableError:  # it ends by itself
            LOG.warning("lease_not_given_back")
