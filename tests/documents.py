"""README.md and docs/: their text, their blocks, their headings."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
_BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")


class Block(msgspec.Struct, frozen=True):
    page: Path
    info: str  # what stands behind the opening fence
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.text.splitlines()[0][:40]}"


def text_of(*names: str) -> str:
    return "\n".join((ROOT / name).read_text() for name in names)


def blocks(*infos: str, pages: Iterable[Path] = PAGES) -> list[Block]:
    found = (
        Block(page, block["info"], block["text"])
        for page in pages
        for block in _BLOCK.finditer(page.read_text())
    )
    return [block for block in found if block.info in infos]


def undocumented(words: Iterable[str], text: str) -> list[str]:
    """The words that no `code span` of the text holds."""
    return sorted(word for word in set(words) if f"`{word}`" not in text)


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", _BLOCK.sub("", text), re.MULTILINE)


def broken_links(page: Path) -> Iterator[str]:
    """Relative links that lead nowhere, to no file or to no heading of it."""
    for link in _LINK.findall(_BLOCK.sub("", page.read_text())):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def anchors(page: Path) -> list[str]:
    """What a link to a heading of the page may say behind its `#`."""
    return [
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings(page.read_text())
    ]
