"""The rules → a CODEOWNERS file in GitHub's dialect, for reviews.

A rule that asks for more than a path has no line there, and is listed. Leaving it out changes no
other line: the order is the rules'.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from matchers.errors import Problem
from matchers.importing.starting import one_line
from matchers.ruleset import Rule, always

EVERYTHING = "*"
HEAD = "# Made by `pointsman generate codeowners` from {rules}; change the rules instead.\n"
_UNNAMED = 'the team "{owner}" has no alias that starts with @: GitHub will not know it'


class Generated(msgspec.Struct, frozen=True):
    text: str
    left_out: tuple[Problem, ...]


def generate_codeowners(
    rules: Iterable[Rule], aliases: Mapping[str, Sequence[str]], source: str
) -> Generated:
    """aliases: of each team, by its slug. The first that starts with @ is how it is named."""
    names = {slug: _name(slug, those) for slug, those in aliases.items()}
    left_out: list[Problem] = []
    unnamed: dict[str, Problem] = {}  # each team once
    lines = [HEAD.format(rules=one_line(source))]
    for rule in rules:
        if not rule.review:
            continue
        if refused := _refused(rule):
            left_out.append(Problem(rule.origin, refused))
            continue
        lines += _lines(rule, names)
        for owner in rule.owners:
            if not names.get(owner, owner).startswith("@"):
                unnamed.setdefault(owner, Problem(rule.origin, _UNNAMED.format(owner=owner)))
    return Generated("\n".join([*lines, ""]), (*left_out, *unnamed.values()))


def _lines(rule: Rule, names: Mapping[str, str]) -> Iterator[str]:
    owners = [names.get(owner, owner) for owner in rule.owners]
    for pattern in rule.paths or (EVERYTHING,):
        yield " ".join([_pattern(pattern), *owners])


def _pattern(text: str) -> str:
    """Spelled so that its line is no comment and no heading of a section."""
    start = text.startswith(("#", "\\#", "[", "^["))
    anchored = "/" if "/" in text[:-1] else "**/"
    return re.sub(r"(?<!\\)(\s)", r"\\\1", anchored + text if start else text)


def _refused(rule: Rule) -> str | None:
    """Why a rule has no line; None: it has."""
    if rule.resolve is not None:
        return f"{rule.text}: its lines depend on each other, and are left out"
    if rule.holds_for_event is not always:
        return f"{rule.text}: asks for an event, and is left out"
    if rule.holds_for_frame is not always or rule.modules or rule.functions:
        return f"{rule.text}: asks for more than a path, and is left out"
    return None


def _name(slug: str, aliases: Sequence[str]) -> str:
    return next((alias for alias in aliases if alias.startswith("@")), slug)
