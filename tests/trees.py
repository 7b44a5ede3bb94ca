"""A repository's tree, as data."""

from collections.abc import Iterable, Mapping

from matchers.errors import Problem
from matchers.sources.base import Site
from matchers.sources.pathglob import PathGlob


class FakeTree:
    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes | None:
        content = self.files.get(path)
        return content.encode() if isinstance(content, str) else content

    def glob(self, pattern: str) -> list[str]:
        return PathGlob(pattern).select(self.files)


def a_site(
    files: Mapping[str, str | bytes], names: Mapping[str, str] | None = None
) -> tuple[Site, list[Problem]]:
    """A site with the teams red, green and blue unless named, and what is said there."""
    said: list[Problem] = []
    known = names or {name: name for name in ("red", "green", "blue")}
    return Site(FakeTree(files), known, said.append), said


def short(problems: Iterable[Problem]) -> list[str]:
    return [f"{problem.origin} {problem.message}" for problem in sorted(problems)]
