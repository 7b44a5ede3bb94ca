"""A rules file that somebody starts from: its teams and rules, and how it is written."""

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from matchers.errors import Origin, Problem
from matchers.sources.base import Site

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}  # text to some readers only
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_FIT_FOR_A_SLUG = re.compile(r"[^A-Za-z0-9._-]+")


class Start:
    """A rules file in the making."""

    def __init__(self, source: str) -> None:
        """source: what it is made from, for the head of the file."""
        self.source = source
        self.teams: dict[str, dict[str, Any]] = {}
        self.rules: list[dict[str, Any]] = []
        self.fallbacks: list[dict[str, Any]] = []
        self.channels: dict[str, Any] = {}
        self.unowned: list[dict[str, Any]] = []
        self.policy: dict[str, Any] = {}
        self.left_out: list[Problem] = []
        self._slugs: dict[str, str] = {}  # a name without its case → the team it stands for

    def site(self) -> Site:
        """For a reader of one file, whose problems are what is left out."""
        return Site(_NoTree(), {}, self.left_out.append)

    def leave_out(self, origin: Origin, message: str) -> None:
        self.left_out.append(Problem(origin, message))

    def team(self, name: str, *nearer: str) -> str:
        """The slug of the team that a name stands for; `nearer` are what it would best be called.

        Names that differ in case alone stand for one team.
        """
        slug = self._slugs.get(name.casefold())
        if slug is None:
            slug = next(one for one in _slugs(name, *nearer) if one.casefold() not in self._slugs)
            self._slugs[name.casefold()] = self._slugs[slug.casefold()] = slug
            self.teams[slug] = {}
        aliases = self.teams[slug].get("aliases", [])
        if name != slug and name not in aliases:
            self.teams[slug]["aliases"] = [*aliases, name]
        return slug

    def owners(self, slugs: list[str]) -> dict[str, Any]:
        """An owner, several, or nobody, as a rule says it."""
        if not slugs:
            return {"unowned": True}
        return {"owner": slugs[0]} if len(slugs) == 1 else {"owners": slugs}

    def text(self) -> str:
        sections: dict[str, Any] = {
            "teams": self.teams,
            "channels": self.channels,
            "rules": self.rules,
            "fallbacks": self.fallbacks,
            "unowned": {"receivers": self.unowned} if self.unowned else None,
            "policy": self.policy,
        }
        written = [f"# A start, made from {one_line(self.source)}.\nversion: 1\n"]
        written += [_section(key, value) for key, value in sections.items() if value]
        return "\n".join(written)


def one_line(name: str) -> str:
    """A file's name, fit for a comment."""
    return "".join(character if character.isprintable() else "?" for character in name)


class _NoTree:
    def read(self, path: str) -> bytes | None:
        return None

    def glob(self, pattern: str) -> list[str]:
        return []


def flow(value: object) -> str:
    """A value in YAML, on one line, that all readers of YAML read alike."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if not isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if _PLAIN.fullmatch(value) and value.casefold() not in _WORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _section(key: str, value: Any) -> str:
    if isinstance(value, list):
        members = [f"  - {flow(item)}" for item in value]
    elif key == "unowned":
        return f"{key}: {flow(value)}\n"
    else:
        members = [f"  {flow(name)}: {flow(item)}" for name, item in value.items()]
    return "\n".join([f"{key}:", *members, ""])


def _slugs(name: str, *nearer: str) -> Any:
    """What a team may be called, the best first, without end."""
    named = [_FIT_FOR_A_SLUG.sub("-", one).strip("-._") for one in (*nearer, name)]
    named = [one for one in named if one] or ["team"]
    yield from named
    number = 2
    while True:
        yield f"{named[0]}-{number}"
        number += 1
