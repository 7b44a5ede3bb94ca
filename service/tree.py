"""Trees of files: below a folder."""

from pathlib import Path
from stat import S_ISREG


class FolderTree:
    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        file = self._root / path
        try:
            if not S_ISREG(file.stat().st_mode):
                return None
            return file.read_bytes()
        except OSError:
            return None

    def glob(self, pattern: str) -> list[str]:
        found = self._root.glob(pattern)
        return sorted(p.relative_to(self._root).as_posix() for p in found if p.is_file())
