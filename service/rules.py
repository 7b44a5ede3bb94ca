"""The rules in force: the last good ones, kept over restarts, swapped whole on reload."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from errno import EINVAL
from pathlib import Path
from stat import S_ISREG

import msgspec

from matchers.errors import Origin, Problem
from routers.rules import Loaded, Rules, load_rules
from service.repository import RepositoryError, read_files
from service.store.writer import StoreUnavailableError, Writer
from service.telemetry import Telemetry

LOG = logging.getLogger(__name__)


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force, and what is wrong with the file as it stands."""

    file: str
    revision: str | None  # None: no rules ever loaded; events are kept undecided
    loaded_at: datetime | None
    problems: tuple[Problem, ...] = ()

    @property
    def quarantined(self) -> bool:
        return bool(self.problems)


class RulesKeeper:
    """A file that does not load changes nothing but the problems that are shown."""

    def __init__(
        self,
        path: Path,
        writer: Writer,
        telemetry: Telemetry,
        *,
        environ: Mapping[str, str],
        repository: Path | None = None,
        clock: Callable[[], datetime],
    ) -> None:
        self._path = path
        self._writer = writer
        self._telemetry = telemetry
        self._environ = environ
        self._repository = repository
        self._clock = clock
        self._reloading = threading.Lock()
        self._rules: Rules | None = None
        self._status = Status(file=str(path), revision=None, loaded_at=None)

    def current(self) -> Rules | None:
        """None while none has ever loaded."""
        return self._rules

    def status(self) -> Status:
        return self._status

    def load(self) -> Status:
        """Read the file; put it in force if it is whole, else say why not.

        At a start on a broken file the last good revision comes back from the database.
        """
        with self._reloading:
            loaded = self._read()
            if not loaded.problems:
                self._put_in_force(loaded)
            else:
                for problem in loaded.problems:
                    LOG.error("rules_problem", extra={"problem": str(problem)})
                if self._rules is None:
                    self._restore()
                self._status = msgspec.structs.replace(self._status, problems=loaded.problems)
            self._telemetry.rules_loaded.set(not loaded.problems)
            self._telemetry.rules_quarantined.set(1 if loaded.problems else 0)
            return self._status

    def _read(self) -> Loaded:
        try:
            if not S_ISREG(self._path.stat().st_mode):  # reading a pipe or a device would not end
                raise OSError(EINVAL, "it is no regular file")
            raw = self._path.read_bytes()
        except OSError as error:
            said = f"the rules file cannot be read: {error.strerror or type(error).__name__}"
            return Loaded(Rules.empty(), (Problem(Origin(str(self._path), 1), said),), b"")
        return self._load(raw, str(self._path))

    def _load(self, raw: bytes, file: str, revision: str | None = None) -> Loaded:
        files = None
        if self._repository is not None:
            try:
                files = read_files(self._repository)
            except RepositoryError as error:  # paths are then taken as they were sent
                LOG.error("repository_unreadable", extra={"reason": str(error)})
        return load_rules(raw, file, self._environ, revision=revision, files=files)

    def _put_in_force(self, loaded: Loaded) -> None:
        revision, now = loaded.rules.revision, self._clock()
        try:
            sequence = self._writer.run(
                lambda tx: tx.keep_revision(revision, str(self._path), loaded.keepable, now)
            )
        except StoreUnavailableError:  # in force all the same; kept at the next reload
            sequence = self._rules.sequence if self._rules else 0
        self._swap(msgspec.structs.replace(loaded.rules, sequence=sequence))
        LOG.info("rules_loaded", extra={"revision": revision, "file": str(self._path)})

    def _restore(self) -> None:
        row = self._writer.run(lambda tx: tx.last_revision())
        if row is None:
            LOG.error("no_rules", extra={"reason": "events are accepted and kept undecided"})
            return
        kept = self._load(row["content"], row["file"], row["revision"]).rules
        self._swap(msgspec.structs.replace(kept, sequence=row["sequence"]))
        LOG.warning("rules_restored", extra={"revision": row["revision"], "file": row["file"]})

    def _swap(self, rules: Rules) -> None:
        self._rules = rules
        self._status = Status(
            file=str(self._path), revision=rules.revision, loaded_at=self._clock()
        )
        self._telemetry.rules_in_force(rules.revision, rules.channels)
