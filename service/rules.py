"""The rules in force: the last good ones, kept over restarts, swapped whole on reload."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from matchers.errors import Problem
from matchers.sources.base import Shown, Tree
from routers.last_good import KeptTree, Partly, load_partly
from routers.rules import Loaded, Rules
from service.memory import uncollected
from service.rules_source import Rewritten, Seen, Source, Standing
from service.store.writer import StoreUnavailableError, Writer
from service.telemetry import Telemetry
from service.tree import FolderTree, around

LOG = logging.getLogger(__name__)
QUIET_SECONDS = 0.2  # files that still change within it are being written
QUIET_LOOKS = 10  # then they are read as they are


class File(msgspec.Struct, frozen=True):
    file: str
    quarantined: bool  # its last good version is in force


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force, and what is wrong with the files as they stand."""

    revision: str | None  # None: no rules ever loaded; events are kept undecided
    loaded_at: datetime | None
    files: tuple[File, ...]  # the root first; of others than rules files, the quarantined
    problems: tuple[Problem, ...] = ()  # of the files, then why they may not be the newest
    unsynced: Problem | None = None  # why they may not be the newest
    rewritten: Rewritten | None = None  # the last force-push that was followed since the start

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
        source: Source,
        environ: Mapping[str, str],
        clock: Callable[[], datetime],
        restrict_team_files: bool = False,
    ) -> None:
        self._path = path
        self._writer = writer
        self._telemetry = telemetry
        self._source = source
        self._environ = environ
        self._restrict = restrict_team_files
        self._clock = clock
        self._reloading = threading.Lock()
        self._rules: Rules | None = None
        self._kept: Mapping[str, bytes] | None = None  # each file's last good text, by its path
        self._recalled = False  # whether the database was asked for them
        self._kept_as: str | None = None  # the revision that they were in force as
        self._name = path.name  # of the root file in its tree
        self._shown: Shown = str
        self._standing: Standing | None = None
        self._seen: Seen | None = None  # of what was read last
        self._status = Status(revision=None, loaded_at=None, files=())

    def current(self) -> Rules | None:
        """None while none has ever loaded."""
        return self._rules

    def status(self) -> Status:
        return self._status

    def start(self) -> Status:
        """Load what is at hand; nobody else is waited for."""
        with self._reloading:
            return self._load(self._source.at_hand())

    def load(self) -> Status:
        """Read the files; each that is whole is put in force, of the others the last good version.

        Over a restart the last good versions come from the database.
        """
        with self._reloading:
            return self._load(self._source.newest(afresh=True))

    def follow(self) -> bool:
        """Load what changed since; whether anything did."""
        with self._reloading:
            standing, before = self._source.newest(), self._standing
            same = before is not None and _undoubted(standing) == _undoubted(before)
            if same and not self._changed():
                self._standing = standing
                self._show(self._status, standing)
                return False
            self._load(standing)
            return True

    def _changed(self) -> bool:
        """Once the files are quiet. A commit never changes."""
        if self._seen is None or not self._seen.changed():
            return False
        now = self._seen.now()
        for _ in range(QUIET_LOOKS):
            time.sleep(QUIET_SECONDS)
            before, now = now, self._seen.now()
            if now == before:
                break
        return True

    def _load(self, standing: Standing) -> Status:
        if not self._recalled:
            self._recall()
        self._standing = standing
        with uncollected():
            partly = self._read(standing, self._kept or {})
        for problem in partly.problems:
            LOG.error("rules_problem", extra={"problem": str(problem)})
        if partly.loaded is None:
            LOG.error("no_rules", extra={"reason": "events are accepted and kept undecided"})
        else:
            self._put_in_force(partly.loaded)
        self._telemetry.rules_quarantined.set(len(partly.quarantined))
        return self._show(self._as_shown(partly), standing)

    def _around(self, standing: Standing, folder: Path) -> tuple[FolderTree, str, Shown]:
        """As of `around`; but what a commit holds leads nowhere out of it."""
        if standing.revision is None:
            return around(self._path)
        tree = FolderTree(folder)
        place = tree.place(str(self._path))
        inside = place is not None and place.is_relative_to(tree.root)
        real = place.relative_to(tree.root) if place and inside else self._path
        return tree, real.as_posix(), str

    def _read(self, standing: Standing, kept: Mapping[str, bytes]) -> Partly:
        self._seen = None
        if standing.folder is None:
            partly = Partly(None, (), ())
        else:
            found, self._name, self._shown = self._around(standing, standing.folder)
            tree = Seen(found, found.root, self._path)
            self._seen = None if standing.revision else tree
            partly = self._read_tree(tree, standing, standing.revision)
            if tree.was_there(self._name):
                if standing.revision and _is_nothing_new(partly, kept):
                    return self._read_tree(tree, standing, self._kept_as)
                return partly
        return self._read_kept(standing, kept, partly)

    def _read_kept(self, standing: Standing, kept: Mapping[str, bytes], partly: Partly) -> Partly:
        """Without its root file a tree is none: whatever it includes would be missed too."""
        if not kept:
            return partly
        self._name = next(iter(kept))  # the root is kept first
        whole = self._read_tree(KeptTree(kept), standing, self._kept_as)
        return Partly(whole.loaded, tuple(kept), partly.problems)

    def _read_tree(self, tree: Tree, standing: Standing, revision: str | None) -> Partly:
        return load_partly(
            tree,
            self._name,
            self._environ,
            self._kept or {},
            shown=self._shown,
            revision=revision,
            files=standing.files,
            restrict_team_files=self._restrict,
        )

    def _recall(self) -> None:
        """The last good versions. While the database is away the files themselves must do."""
        try:
            row = self._writer.run(lambda tx: tx.last_revision())
        except StoreUnavailableError:
            return
        self._recalled = True
        if row is not None and row["file"] == str(self._path):
            kept = msgspec.json.decode(row["content"], type=dict[str, str])
            self._kept = {path: text.encode() for path, text in kept.items()}
            self._kept_as = str(row["revision"])

    def _put_in_force(self, loaded: Loaded) -> None:
        revision, now = loaded.rules.revision, self._clock()
        self._kept, self._kept_as = loaded.texts, revision
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

    def _as_shown(self, partly: Partly) -> Status:
        read = partly.loaded.files if partly.loaded else (self._name,)
        paths = dict.fromkeys((*read, *partly.quarantined))
        return Status(
            revision=self._rules.revision if self._rules else None,
            loaded_at=self._clock() if partly.loaded else self._status.loaded_at,
            files=tuple(File(self._shown(path), path in partly.quarantined) for path in paths),
            problems=partly.problems,
        )

    def _show(self, status: Status, standing: Standing) -> Status:
        """The status, with what the source says of itself."""
        unsynced, before = standing.problem, self._status.unsynced
        if unsynced and unsynced != before:
            LOG.error("rules_not_synced", extra={"problem": str(unsynced)})
        elif before and not unsynced:
            LOG.info("rules_synced", extra={"revision": standing.revision})
        if (forced := standing.rewritten) and forced != self._status.rewritten:
            about = msgspec.structs.asdict(forced)
            LOG.warning("rules_history_rewritten", extra=about)
            self._telemetry.rules_rewritten.inc()
        of_files = status.problems[: -1 if status.unsynced else None]
        problems = (*of_files, unsynced) if unsynced else of_files
        self._status = msgspec.structs.replace(
            status, problems=problems, unsynced=unsynced, rewritten=forced
        )
        self._telemetry.rules_loaded.set(not problems)
        return self._status


def _undoubted(standing: Standing) -> Standing:
    """What of it the rules are read from."""
    return msgspec.structs.replace(standing, problem=None, rewritten=None)


def _is_nothing_new(partly: Partly, kept: Mapping[str, bytes]) -> bool:
    """Whether all that a broken commit puts in force was in force before."""
    return bool(partly.quarantined) and partly.loaded is not None and partly.loaded.texts == kept
