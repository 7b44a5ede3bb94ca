"""Which database a test's folder stands for: its own SQLite file, where nothing else is said."""

from pathlib import Path

ELSEWHERE: dict[Path, str] = {}  # folder → URL


def url_of(folder: Path) -> str:
    return ELSEWHERE.get(folder, f"sqlite:///{folder / 'pointsman.db'}")
