"""A repository's tree, as data."""

from collections.abc import Mapping

from matchers.sources.pathglob import PathGlob


class FakeTree:
    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes | None:
        content = self.files.get(path)
        return content.encode() if isinstance(content, str) else content

    def glob(self, pattern: str) -> list[str]:
        return PathGlob(pattern).select(self.files)
