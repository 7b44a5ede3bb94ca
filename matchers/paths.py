"""Which repository path a runtime frame stands for, and whether it is our own code.

Senders name files in many ways: relative, absolute on the server, behind a bundler's scheme,
as a JVM class. The first of these decides: the longest source root that `abs_path` lies under,
a relative `filename`, `abs_path` without scheme, host and leading slash.
Cases: conformance/paths.yaml.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from matchers.event import Event, Frame
from matchers.files import RepositoryFiles

PATH_LIMIT = 4096  # characters; a longer path matches nothing
PATH_TOO_LONG = "path_too_long"
AMBIGUOUS_PATH = "ambiguous_path"

# Not our code, where the sender does not say: package directories and runtimes' own files.
_PACKAGES = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|gems)/"
    r"|(?:^|/)vendor/bundle/|/pkg/mod/|/\.cargo/(?:registry|git)/"
    r"|(?:^|/)lib/(?:python[23][.\d]*/|ruby/(?:\d|(?:site|vendor)_ruby/))|/Python[23]\d*/Lib/"
    r"|^/usr/local/go/src/|^/usr/lib/go|^/rustc/|^<frozen "
    # the second is Node before 16; `internal/` alone is a directory that many a Go repository has
    r"|^node:|^internal/(?:bootstrap|main|modules|process|streams|timers)\b.*\.js"
)
_JDK = re.compile(r"(?:java|javax|jdk|sun|com\.sun|kotlin|scala|groovy)\.")
_JVM_FILE = re.compile(r"[^/\\]+\.(?:java|kt|kts|scala|groovy|clj)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://([^/]*)/(.*)", re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_PLACE_SUFFIX = re.compile(r"(?::\d+){1,2}\Z")
_NO_FILE = re.compile(r"<.*>|\[?native(?: code)?\]?|\(.*\)|\?+|", re.DOTALL)


class SourceRoot(msgspec.Struct, frozen=True):
    """Frames under `prefix` are the repository's files under `repository`.

    prefix: as the runtime spells it, with its last slash; `*` stands for one directory.
    repository: "" for the repository's root, else with its last slash.
    """

    prefix: str
    repository: str = ""


class FramePath(msgspec.Struct, frozen=True):
    path: str | None  # None: no path stands for this frame
    warning: str | None = None
    by: Literal["repository"] | None = None  # the repository's file list decided


class Placed(msgspec.Struct, frozen=True):
    """A frame's repository path, and whether it is our own code."""

    path: str | None
    in_app: bool
    warning: str | None = None
    by: Literal["repository"] | None = None


def place(
    frame: Frame,
    platform: str | None = None,
    *,
    roots: Sequence[SourceRoot] = (),
    files: RepositoryFiles | None = None,
    believe: bool = True,
) -> Placed:
    """believe: whether the sender's own in_app flags count (flags_are_believed)."""
    in_app = is_in_app(frame, believe=believe)
    found = repository_path(frame, platform, roots, files if in_app else None)
    return Placed(found.path, in_app, found.warning, found.by)


def repository_path(
    frame: Frame,
    platform: str | None = None,
    roots: Sequence[SourceRoot] = (),
    files: RepositoryFiles | None = None,
) -> FramePath:
    """Total: any frame gets an answer. A path over PATH_LIMIT is None with PATH_TOO_LONG.

    files: where they are known, the path must be one of them, or the suffix of just one.
    """
    named = frame.abs_path or frame.filename or ""
    if max(len(named), len(frame.filename or "")) > PATH_LIMIT:
        return FramePath(None, PATH_TOO_LONG)
    candidate = _candidate(frame, named, platform, roots)
    if candidate is None or files is None:
        return FramePath(candidate)
    fit = files.fit(candidate)
    if fit.path is not None:
        return FramePath(fit.path, by="repository")
    return FramePath(candidate, AMBIGUOUS_PATH if fit.ambiguous else None)


def _candidate(
    frame: Frame, named: str, platform: str | None, roots: Sequence[SourceRoot]
) -> str | None:
    if jvm := _jvm_path(frame, platform):
        return jvm
    if "/pkg/mod/" in named:  # Go's module cache: another repository's file
        return None
    named = _local(named)
    rooted = _under_root(named, roots)
    if rooted is not None:
        return rooted
    if platform == "python" and frame.module and not named:
        return frame.module.replace(".", "/") + ".py"
    relative = bool(frame.filename) and not _is_absolute(frame.filename or "")
    return _clean(frame.filename if relative and frame.filename else named)


def is_in_app(frame: Frame, *, believe: bool = True) -> bool:
    """Whether it is our own code: as the sender said, else by where its file lies.

    believe=False passes over what the sender said (sentry-ruby may mark every frame False).
    """
    if believe and frame.in_app is not None:
        return frame.in_app
    raw = (frame.abs_path or frame.filename or "").replace("\\", "/")
    if _PACKAGES.search(raw):
        return False
    return not (frame.module and "/" not in raw and _JDK.match(frame.module))


def flags_are_believed(event: Event) -> bool:
    """False for a Ruby event whose frames are all marked in_app=False."""
    if event.platform != "ruby":
        return True
    flags = {frame.in_app for error in event.exceptions for frame in error.frames}
    return flags != {False}


def normalise(path: str) -> str:
    """A path as a person may type it → as the rules see it: no `./`, no leading slash, no `..`."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _jvm_path(frame: Frame, platform: str | None) -> str | None:
    if not frame.module or "/" in frame.module:
        return None
    package, _, name = frame.module.partition("$")[0].rpartition(".")
    if not package or not (platform == "java" or _JVM_FILE.fullmatch(frame.filename or "")):
        return None
    if "/" in (frame.filename or ""):
        return None
    return f"{package.replace('.', '/')}/{frame.filename or name}"


def _local(path: str) -> str:
    """A `file:` URL as the path that it stands for."""
    if not path.startswith("file:///"):
        return path
    path = path.removeprefix("file://").partition("?")[0]
    return path[1:] if _DRIVE.match(path, 1) else path


def _under_root(named: str, roots: Iterable[SourceRoot]) -> str | None:
    path = _forward(named)
    found = [
        (hit.end(), root.repository) for root in roots if (hit := _root_regex(root).match(path))
    ]
    if not found:
        return None
    length, repository = max(found)
    return _clean(repository + path[length:])


@lru_cache(maxsize=1024)
def _root_regex(root: SourceRoot) -> re.Pattern[str]:
    prefix = _forward(root.prefix)
    prefix += "" if prefix.endswith("/") else "/"  # /app is no part of /application
    return re.compile("[^/]+".join(map(re.escape, prefix.split("*"))))


def _forward(path: str) -> str:
    """A Windows path with the slashes that the rules have."""
    return path.replace("\\", "/") if _DRIVE.match(path) else path


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\")) or "://" in path or bool(_DRIVE.match(path))


def _clean(path: str) -> str | None:
    if scheme := _SCHEME.match(path):
        path = scheme[3].partition("?")[0]
        if scheme[1].startswith("http"):
            path = path.partition("#")[0]
        elif scheme[1].startswith("webpack"):
            path = re.sub(r"^\([^)/]*\)/", "", path)  # Next.js's layer: (rsc)/
    elif path.startswith("package:"):  # Dart: the package's lib directory
        path = "lib/" + path.partition("/")[2]
    elif _DRIVE.match(path):
        path = _forward(path)[2:]
    elif "/" not in path:
        path = path.replace("\\", "/")
    path = _PLACE_SUFFIX.sub("", path)
    return None if _NO_FILE.fullmatch(path) else normalise(path) or None
