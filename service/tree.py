"""The files of a repository, for what reads rules from them: of a folder, or of a commit.

Both fulfil matchers.sources.base.Tree, refuse what leads out of them, and leave out the same
folders of a glob: git's own, and what a package manager fills. Cases: tests/service/test_tree.py.
"""

import errno
import os
import stat
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from matchers.sources.base import NotRegularError, Shown, TreeError
from matchers.sources.pathglob import PathGlob, State
from service.git import GitError, git
from service.repository import SKIPPED

SIZE_LIMIT = 20 * 2**20  # bytes of one file
AHEAD_LIMIT = 8 * 2**20  # bytes that are read of a commit at once
AHEAD_FILES = 1000
LINKS_LIMIT = 8  # links that lead to links
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}


class FolderTree:
    """What lies below a folder now: nothing is remembered, so changes are seen at once.

    A link is followed to a regular file inside the folder. One that leads elsewhere is found by a
    glob, so that it does not vanish silently, and then there is no such file to read.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def read(self, path: str) -> bytes | None:
        place = self._place(path)
        if place is None or self.root not in place.parents:
            return None
        if ".git" in place.relative_to(self.root).parts:
            return None
        try:
            return _read_regular(place, path)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise TreeError(path, str(error.strerror)) from None

    def glob(self, pattern: str) -> list[str]:
        glob = PathGlob(pattern)
        found: list[str] = []
        waiting: list[tuple[str, State]] = [("", glob.start)]
        while waiting:
            folder, state = waiting.pop()
            for entry in self._entries(folder):
                path = folder + entry.name
                if entry.is_dir(follow_symlinks=False):
                    below = glob.enter(state, entry.name)
                    if below and not _is_skipped(entry.name):
                        waiting.append((path + "/", below))
                elif glob.fits(state, entry.name) and _may_be_read(entry) and _is_utf8(path):
                    found.append(path)
        return sorted(found)

    def escapes(self, path: str) -> bool:
        """Whether it leads out of the folder: by a link, by `..`, by being absolute."""
        place = self._place(path)
        return place is not None and not place.is_relative_to(self.root)

    def _place(self, path: str) -> Path | None:
        """Where it leads to, all links followed; None: nowhere."""
        try:
            return (self.root / path).resolve()
        except (OSError, RuntimeError, ValueError):  # too long; links in a circle; a null byte
            return None

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as entries:
                return list(entries)
        except OSError as error:
            if error.errno in _ABSENT:
                return []
            raise TreeError(folder or ".", str(error.strerror)) from None


def around(rules: Path) -> tuple[FolderTree, str, Shown]:
    """The repository around a rules file, else its folder; the file's path in it, and how paths of
    it are shown: as the file was named, so that they can be opened from where it was.

    A file that is a link is read where it leads to, and so is what it includes: a ConfigMap is
    swapped by its link, and no reading sees half of each.
    """
    real = rules.resolve()
    folders = (real.parent, *real.parent.parents)
    root = next((folder for folder in folders if _is_repository(folder)), real.parent)
    inside = real.relative_to(root).as_posix()
    return FolderTree(root), inside, _as_named(rules, root, inside)


def _is_repository(folder: Path) -> bool:
    return os.path.exists(folder / ".git")  # noqa: PTH110 where we may not look, there is none


def _as_named(rules: Path, root: Path, inside: str) -> Shown:
    named = str(rules)
    if f"/{named}".endswith(f"/{inside}"):
        before = named.removesuffix(inside)
        return (lambda path: before + path) if before else str
    if rules.is_absolute():
        return lambda path: f"{root}/{path}"
    here = Path.cwd()  # below the root, as a rule
    return lambda path: os.path.relpath(root / path, here)


class Blob(msgspec.Struct, frozen=True):
    id: str
    size: int  # bytes
    is_link: bool  # its content is then where it leads to


class GitTree:
    """What a commit holds. Links inside it are followed; folders that are links are not."""

    def __init__(self, repository: Path, revision: str) -> None:
        """revision: whatever git takes for a commit. Raises TreeError."""
        self._repository = repository.absolute()
        asked = f"{revision}^{{commit}}"
        try:
            named = git(self._repository, "rev-parse", "--verify", "--end-of-options", asked)
            self.commit = named.decode("ascii").strip()
            listed = git(self._repository, "ls-tree", "-rzl", "--full-tree", self.commit, "--")
        except GitError as error:
            raise TreeError(revision, str(error)) from None
        self._blobs = dict(_blobs(listed))
        self.paths = sorted(path for path in self._blobs if _is_utf8(path))
        self._ahead: Sequence[str] = ()  # what a glob found is likely read next, in its order
        self._contents: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        place = self._follow(path)
        if place in self._blobs:
            return self._content(place)
        if place and self._is_folder(place):
            raise NotRegularError(path)
        return None

    def glob(self, pattern: str) -> list[str]:
        found = PathGlob(pattern).select(
            path for path in self.paths if not any(map(_is_skipped, path.split("/")[:-1]))
        )
        self._ahead = found
        return list(found)

    def escapes(self, path: str) -> bool:
        """Whether it leads out of the commit: by a link, by `..`, by being absolute."""
        return self._follow(path) is None

    def _is_folder(self, place: str) -> bool:
        at = bisect_left(self.paths, f"{place}/")
        return at < len(self.paths) and self.paths[at].startswith(f"{place}/")

    def _follow(self, path: str) -> str | None:
        """Where it leads to, be there a file or not; "": in a circle; None: out of the tree."""
        for _ in range(LINKS_LIMIT):
            inside = _inside(path)
            blob = self._blobs.get(inside or "")
            if inside is None or blob is None or not blob.is_link:
                return inside
            target = self._content(inside).decode("utf-8", "surrogateescape")
            path = str(PurePosixPath(inside).parent / target)
        return ""

    def _content(self, path: str) -> bytes:
        if self._blobs[path].size > SIZE_LIMIT:
            raise _too_large(path)
        contents = self._contents
        if path not in contents:
            contents = self._contents = self._fetch(list(self._next(path)))
        return contents[path]

    def _next(self, path: str) -> Iterator[str]:
        """The file, and what is likely read next: one process for many."""
        yield path
        ahead = self._ahead
        start = bisect_left(ahead, path)
        size = self._blobs[path].size
        for other in ahead[start : start + AHEAD_FILES]:
            size += self._blobs[other].size
            if size > AHEAD_LIMIT:
                break
            if other != path:
                yield other

    def _fetch(self, paths: list[str]) -> dict[str, bytes]:
        asked = "".join(f"{self._blobs[path].id}\n" for path in paths).encode()
        try:
            got = git(self._repository, "cat-file", "--batch", stdin=asked)
        except GitError as error:
            raise TreeError(paths[0], str(error)) from None
        contents, at = {}, 0
        for path in paths:  # "ID blob SIZE\n", the content, "\n"
            start = got.find(b"\n", at) + 1
            end = start + self._blobs[path].size
            if not got.startswith(f"{self._blobs[path].id} blob ".encode(), at):
                raise TreeError(path, "the repository does not have it")
            contents[path] = got[start:end]
            at = end + 1
        return contents


def _read_regular(place: Path, path: str) -> bytes:
    """Never waits: a pipe or a device is not even opened."""
    if not stat.S_ISREG(place.lstat().st_mode):
        raise NotRegularError(path)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(place, "rb", opener=lambda name, _: os.open(name, flags)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise NotRegularError(path)
        raw = file.read(SIZE_LIMIT + 1)
    if len(raw) > SIZE_LIMIT:
        raise _too_large(path)
    return raw


def _too_large(path: str) -> TreeError:
    return TreeError(path, f"larger than {SIZE_LIMIT // 2**20} MiB")


def _is_skipped(folder: str) -> bool:
    """`..data` and the like are how Kubernetes swaps a ConfigMap, each file of it being a link."""
    return folder in SKIPPED or folder.startswith("..")


def _may_be_read(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file(follow_symlinks=False) or (entry.is_symlink() and not entry.is_dir())
    except OSError:  # a link in a circle, or to where we may not look
        return True


def _is_utf8(path: str) -> bool:
    """No event can name a file whose name is no text, and no answer could."""
    return path.isascii() or not any("\ud800" <= char <= "\udfff" for char in path)


def _blobs(listed: bytes) -> Iterator[tuple[str, Blob]]:
    """Of `git ls-tree -rzl`: "MODE TYPE ID SIZE\\tPATH". Submodules hold no files."""
    for record in listed.decode("utf-8", "surrogateescape").split("\0"):
        about, _, path = record.partition("\t")
        if path:
            mode, kind, name, size = about.split()
            if kind == "blob":
                yield path, Blob(name, int(size), mode == "120000")


def _inside(path: str) -> str | None:
    """Without `.` and `..`; None: it leads out of the root."""
    found: list[str] = []
    for segment in path.split("/"):
        if segment == ".." and found:
            found.pop()
        elif segment == ".." or (segment == "" and path.startswith("/")):
            return None
        elif segment not in ("", "."):
            found.append(segment)
    return "/".join(found)
