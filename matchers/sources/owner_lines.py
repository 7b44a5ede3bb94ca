"""What the dialects of CODEOWNERS share: a file's lines, a pattern, the owners behind it."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from matchers.errors import Origin
from matchers.sources.base import Site
from matchers.sources.document import SIZE_LIMIT

Dialect = Literal["github", "gitlab", "bitbucket"]
TEXT_LIMIT = 200  # characters of a line that a rule shows

_UNESCAPED_SPACE = re.compile(r"(?<!\\)\s+")
_EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s.]+"  # no dot behind the last: else asking is quadratic
_OWNER: dict[Dialect, re.Pattern[str]] = {
    "github": re.compile(rf"@[\w.-]+(?:/[\w.-]+)?|{_EMAIL}"),
    "gitlab": re.compile(rf"@@?[\w.-]+(?:/[\w.-]+)*|{_EMAIL}"),
    "bitbucket": re.compile(rf"@{{0,2}}[\w.-]+(?:/[\w.-]+)*|{_EMAIL}"),
}
_CHOICE = re.compile(r":(?:all|random|least_busy)(?:\(\d+\))?$")  # Bitbucket's, whom to ask
_MEANT = {
    "github": "@user, @org/team or an email",
    "gitlab": "@user, @group/subgroup, @@role or an email",
    "bitbucket": "@user, @workspace/group or an email",
}


class Line(msgspec.Struct, frozen=True):
    """One that says something: not blank, no comment."""

    origin: Origin
    text: str  # without blanks around it

    @property
    def shown(self) -> str:
        cut = len(self.text) > TEXT_LIMIT
        return f"{self.text[: TEXT_LIMIT - 1]}…" if cut else self.text

    def parted(self) -> tuple[str, str]:
        """The pattern, and what stands behind it."""
        pattern, *rest = _UNESCAPED_SPACE.split(self.text, maxsplit=1)
        return pattern, rest[0] if rest else ""


def read_lines(raw: bytes, path: str, site: Site) -> Iterator[Line]:
    """A line that is not UTF-8 is a problem, and left out."""
    if len(raw) > SIZE_LIMIT:
        site.problem(Origin(path, 1), f"the file is larger than {SIZE_LIMIT} bytes")
        return
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        origin = Origin(path, number)
        try:
            text = line.decode().strip()
        except UnicodeDecodeError:
            site.problem(origin, "this line is not UTF-8")
            continue
        if text and not text.startswith("#"):
            yield Line(origin, text)


def well_formed(names: Iterable[str], dialect: Dialect, origin: Origin, site: Site) -> list[str]:
    """The owners as they are written; each that is none is a problem."""
    owners = []
    for written in names:
        name = _CHOICE.sub("", written) if dialect == "bitbucket" else written
        if _OWNER[dialect].fullmatch(name):
            owners.append(name)
        else:
            site.problem(origin, f'"{written}" is no owner; {_MEANT[dialect]} is')
    return owners


def slugs(names: Iterable[str], origin: Origin, site: Site) -> tuple[str, ...]:
    """The teams that the names stand for, each once; an unknown one is a problem."""
    known = (site.slug(name, origin) for name in names)
    return tuple(dict.fromkeys(slug for slug in known if slug is not None))
