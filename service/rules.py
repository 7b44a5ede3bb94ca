"""The rules in force: the last good ones, kept over restarts, swapped whole on reload."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from matchers.errors import Problem
from matchers.files import RepositoryFiles
from routers.last_good import Partly, load_partly
from routers.rules import Loaded, Rules
from service.repository import RepositoryError, read_files
from service.store.writer import StoreUnavailableError, Writer
from service.telemetry import Telemetry
from service.tree import around

LOG = logging.getLogger(__name__)


class File(msgspec.Struct, frozen=True):
    file: str
    quarantined: bool  # its last good version is in force


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force, and what is wrong with the files as they stand."""

    revision: str | None  # None: no rules ever loaded; events are kept undecided
    loaded_at: datetime | None
    files: tuple[File, ...]  # the root first
    problems: tuple[Problem, ...] = ()

    @property
    def quarantined(self) -> tuple[str, ...]:
        return tuple(one.file for one in self.files if one.quarantined)


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
        self._kept: Mapping[str, bytes] | None = None  # each file's last good text, by its path
        self._status = Status(revision=None, loaded_at=None, files=())

    def current(self) -> Rules | None:
        """None while none has ever loaded."""
        return self._rules

    def status(self) -> Status:
        return self._status

    def load(self) -> Status:
        """Read the files; each that is whole is put in force, of the others the last good version.

        Over a restart the last good versions come from the database.
        """
        with self._reloading:
            if self._kept is None:
                self._kept = self._from_database()
            tree, name, base = around(self._path)
            partly = load_partly(
                tree, name, self._environ, self._kept, base=base, files=self._files()
            )
            for problem in partly.problems:
                LOG.error("rules_problem", extra={"problem": str(problem)})
            if partly.loaded is None:
                LOG.error("no_rules", extra={"reason": "events are accepted and kept undecided"})
            else:
                self._put_in_force(partly.loaded)
            self._status = self._as_shown(partly, base)
            self._telemetry.rules_loaded.set(not partly.problems)
            self._telemetry.rules_quarantined.set(len(partly.quarantined))
            return self._status

    def _files(self) -> RepositoryFiles | None:
        if self._repository is None:
            return None
        try:
            return read_files(self._repository)
        except RepositoryError as error:  # paths are then taken as they were sent
            LOG.error("repository_unreadable", extra={"reason": str(error)})
            return None

    def _from_database(self) -> Mapping[str, bytes]:
        row = self._writer.run(lambda tx: tx.last_revision())
        if row is None or row["file"] != str(self._path):
            return {}
        kept = msgspec.json.decode(row["content"], type=dict[str, str])
        return {path: text.encode() for path, text in kept.items()}

    def _put_in_force(self, loaded: Loaded) -> None:
        revision, now = loaded.rules.revision, self._clock()
        self._kept = loaded.texts
        content = msgspec.json.encode(
            {path: text.decode(errors="replace") for path, text in loaded.keepable.items()}
        )
        try:
            sequence = self._writer.run(
                lambda tx: tx.keep_revision(revision, str(self._path), content, now)
            )
        except StoreUnavailableError:  # in force all the same; kept at the next reload
            sequence = self._rules.sequence if self._rules else 0
        self._rules = msgspec.structs.replace(loaded.rules, sequence=sequence)
        self._telemetry.rules_in_force(revision, loaded.rules.channels)
        LOG.info("rules_loaded", extra={"revision": revision, "file": str(self._path)})

    def _as_shown(self, partly: Partly, base: str) -> Status:
        paths = partly.loaded.texts if partly.loaded else {self._path.name: b""}
        return Status(
            revision=self._rules.revision if self._rules else None,
            loaded_at=self._clock() if partly.loaded else self._status.loaded_at,
            files=tuple(File(base + path, path in partly.quarantined) for path in paths),
            problems=partly.problems,
        )
