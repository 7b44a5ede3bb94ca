"""The rules of a git repository: fetched, checked out whole, and only then handed on.

What was fetched stays in a bare repository beside the database, so a start needs no network. A
commit is checked out into a folder of its own, which nobody is told of before it is complete.
Cases: tests/service/test_rules_sync.py.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from matchers.errors import Origin, Problem
from matchers.files import RepositoryFiles
from service.git import GitError, GitRefusedError
from service.rules_git import Git, masked
from service.rules_source import FilesSource, Rewritten, Source, Standing, paths_of
from service.settings import Settings

LOG = logging.getLogger(__name__)
_FETCHED = "refs/pointsman/rules"
_COMPARED = "refs/pointsman/compared"  # whether what was fetched follows it is not known yet
_CHECKOUT = "checkout-"
_LEFT_BEHIND = 3600.0  # seconds after which a checkout is surely no running service's


class RepositorySource:
    """Any failure leaves the last commit standing, and says so."""

    def __init__(
        self,
        folder: Path,
        url: str,
        ref: str | None,
        *,
        paths: Callable[[], RepositoryFiles | None] | None = None,
    ) -> None:
        """ref: None is the remote's HEAD. paths: of another repository than this one."""
        self._folder = folder.absolute()
        self._shown = masked(url)
        self._ref = ref or "HEAD"
        self._paths = paths
        self._git = Git(self._folder / "git", url)
        self._standing = Standing(None)
        self._compared: str | None = None

    def at_hand(self) -> Standing:
        """The commit that was fetched last; no network is asked."""
        try:
            self._prepare()
            return self._stand(self._fetched(), afresh=True)
        except (GitError, OSError):
            return self._failed("it has not been fetched yet")

    def newest(self, *, afresh: bool = False) -> Standing:
        try:
            self._prepare()
            before = self._standing.revision
            commit = self._fetch()
            self._stand(commit, afresh=afresh)
            if before in (None, commit):
                self._compare(commit)
            return self._standing
        except (GitError, OSError) as error:
            return self._standing if self._git.closed.is_set() else self._failed(str(error))

    def close(self) -> None:
        self._git.close()

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.glob(f"{_CHECKOUT}*"):
            ours = path == self._standing.folder
            if not ours and time.time() - path.stat().st_mtime > _LEFT_BEHIND:
                _remove(path)
        if not (self._git.folder / "HEAD").is_file():
            _remove(self._git.folder)
            self._git.run("init", "--quiet", "--bare", "--template=", "--", str(self._git.folder))

    def _fetch(self) -> str:
        try:
            self._git.fetch(self._ref, _FETCHED)
            return self._fetched()
        except GitError:
            if self._is_sound() or self._git.closed.is_set():
                raise
        LOG.warning("rules_repository_damaged", extra={"reason": "it is fetched anew"})
        _remove(self._git.folder)
        self._prepare()
        self._git.fetch(self._ref, _FETCHED)
        return self._fetched()

    def _compare(self, fetched: str) -> None:
        """Whether what is in force follows what was: asked when nothing newer waits for it.

        It costs a fetch of its own, because the newest commit is fetched alone.
        """
        if fetched == self._compared:
            return
        try:
            before = self._compared or self._commit(_COMPARED) or fetched
            if before != fetched and not self._git.follows(self._ref, before, fetched):
                rewritten = Rewritten(before, fetched)
                self._standing = msgspec.structs.replace(self._standing, rewritten=rewritten)
            self._git.run("update-ref", _COMPARED, fetched)
        except GitError as error:
            LOG.warning("rules_history_unknown", extra={"reason": str(error)})
        self._compared = fetched

    def _commit(self, ref: str) -> str | None:
        try:
            return self._git.run("rev-parse", "--verify", "--end-of-options", ref).decode().strip()
        except GitRefusedError:
            return None

    def _is_sound(self) -> bool:
        locks = ("*.lock", "refs/pointsman/*.lock")  # of a git that was killed: nobody lifts them
        if any(lock for pattern in locks for lock in self._git.folder.glob(pattern)):
            return False
        try:
            self._git.run("fsck", "--connectivity-only", "--no-dangling", "--no-progress")
        except GitError:
            return False
        return True

    def _fetched(self) -> str:
        found = self._git.run("rev-parse", "--verify", "--end-of-options", f"{_FETCHED}^{{commit}}")
        return found.decode().strip()

    def _stand(self, commit: str, *, afresh: bool) -> Standing:
        before = self._standing
        if afresh or commit != before.revision:
            try:
                self._standing = self._check_out(commit)
            except GitError:
                if (
                    not self._git.closed.is_set()
                ):  # an object is damaged: the next fetch begins anew
                    _remove(self._git.folder)
                raise
            if before.folder:
                _remove(before.folder)
        elif before.problem:
            self._standing = msgspec.structs.replace(before, problem=None)
        return self._standing

    def _check_out(self, commit: str) -> Standing:
        folder = Path(tempfile.mkdtemp(prefix=_CHECKOUT, dir=self._folder))
        index = {"GIT_INDEX_FILE": f"{folder}.index"}
        try:
            self._git.run("read-tree", commit, environ=index)
            self._git.run(f"--work-tree={folder}", "checkout-index", "--all", environ=index)
            listed = self._git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        except GitError:
            _remove(folder)
            raise
        finally:
            Path(f"{folder}.index").unlink(missing_ok=True)
        names = listed.decode("utf-8", "surrogateescape").split("\0")
        own = self._paths is None
        files = RepositoryFiles(filter(None, names)) if own else self._paths and self._paths()
        return Standing(folder, commit, files or None, rewritten=self._standing.rewritten)

    def _failed(self, reason: str) -> Standing:
        problem = Problem(Origin(self._shown, 1), f"{self._ref}: {reason}")
        self._standing = msgspec.structs.replace(self._standing, problem=problem)
        return self._standing


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def source_of(settings: Settings) -> Source:
    """What the settings say: files, or a repository."""
    url = settings.rules_repository.get_secret_value()
    if not url:
        return FilesSource(settings.repository)
    return RepositorySource(
        settings.folder / "rules-repository",
        url,
        settings.rules_ref or None,
        paths=partial(paths_of, settings.repository) if settings.repository else None,
    )
