"""What is wrong with a rules file, all of it at once.

RulesError
└── problems: tuple[Problem, …], each with the place where it stands
"""

import difflib
from collections.abc import Iterable
from functools import lru_cache

import msgspec

NAME_LIMIT = 100  # characters that are compared
SUGGESTIONS = 100  # unknown names of one source for which a near one is sought
KNOWN_LIMIT = 1000  # names that are compared with


class Origin(msgspec.Struct, frozen=True, order=True):
    """Where something was written. Lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Problem(msgspec.Struct, frozen=True, order=True):
    origin: Origin
    message: str

    def __str__(self) -> str:
        return f"{self.origin.file}:{self.origin.line}:{self.origin.column}: {self.message}"


class RulesError(Exception):
    """The rules cannot be used as they are written. Holds every problem, in the file's order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` — did you mean "payments"?`, or nothing where no known name is near."""
    near = _nearest(name[:NAME_LIMIT], tuple(known))
    return f' — did you mean "{near}"?' if near else ""


@lru_cache(maxsize=1024)
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    near = difflib.get_close_matches(name, known[:KNOWN_LIMIT], n=1, cutoff=0.6)
    return near[0] if near else None
