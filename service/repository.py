"""The paths of a repository: of a checkout, or of a file that lists them.

RepositoryError    they cannot be read; says why
"""

import os
from collections.abc import Iterator
from pathlib import Path

from matchers.files import RepositoryFiles
from service.git import GitError, GitRefusedError, git

SKIPPED = {".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv"}


class RepositoryError(Exception):
    pass


def read_files(where: Path) -> RepositoryFiles:
    """What git tracks in a checkout, else every file below the folder, else the file's lines.

    Lines may begin as `find` writes them: `./server/app.py`.
    """
    try:
        if where.is_dir():
            return RepositoryFiles(_tracked(where) or _walked(where))
        lines = where.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError, GitError) as error:
        raise RepositoryError(f"{where}: {error}") from None
    return RepositoryFiles(filter(None, (line.strip().removeprefix("./") for line in lines)))


def _tracked(folder: Path) -> list[str]:
    """Empty where it is no checkout, or git is not there."""
    try:
        listed = git(folder, "ls-files", "-z")
    except GitRefusedError:
        return []
    return [name for name in _text(listed).split("\0") if name]


def _walked(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and not SKIPPED.intersection(inside.parts):
            yield _text(os.fsencode(inside.as_posix()))


def _text(names: bytes) -> str:
    """As frames name them: what is not UTF-8 arrives as a replacement character."""
    return names.decode("utf-8", "replace")
