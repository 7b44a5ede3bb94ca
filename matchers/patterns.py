"""CODEOWNERS patterns in GitHub's dialect, taken apart.

    PatternError    what is written is no pattern; says why, and what was probably meant

Spec: https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
A pattern with a slash before its end is anchored to the root; `*` and `?` stay inside a directory,
`**` does not; a directory owns all below it, but a trailing `/*` only its direct children.
Not in this dialect: `!`, `[ranges]`, `{braces}`, `\\#`. Cases: conformance/patterns.yaml.
"""

import re
from typing import Literal

import msgspec

ANY_DIRECTORIES = "**"

# What a pattern owns once its last segment has matched: the path and all below it, only what is
# below it, only the path itself.
Reach = Literal["tree", "below", "leaf"]


class PatternError(Exception):
    pass


# A glob, or what another dialect's glob compiles to where this one cannot say it.
Segment = str | re.Pattern[str]


class Pattern(msgspec.Struct, frozen=True):
    segments: tuple[Segment, ...]  # between slashes; ANY_DIRECTORIES: any number of them
    reach: Reach


def parse_pattern(text: str) -> Pattern:
    """Raises PatternError."""
    _refuse(text)
    segments: list[Segment] = [*text.strip("/").split("/")]
    if "/" not in text[:-1]:
        segments.insert(0, ANY_DIRECTORIES)
    reach: Reach = "below" if text.endswith("/") else "leaf" if text.endswith("/*") else "tree"
    while segments and segments[-1] == ANY_DIRECTORIES:
        segments.pop()
        reach = "below"
    return Pattern(tuple(segments), reach)


def exactly(path: str) -> str:
    """The pattern that stands for this path alone, whatever its characters."""
    return "/" + escape(path)


def below(folder: str) -> str:
    """The pattern of everything in a directory; of the whole tree where it is ""."""
    return f"/{escape(folder)}/" if folder else "*"


def escape(path: str) -> str:
    return "".join(f"\\{char}" if char in "*?\\ " else char for char in path)


def _refuse(text: str) -> None:
    if not text.strip():
        raise PatternError("an empty pattern owns nothing; `*` owns everything")
    if text.startswith("!"):
        raise PatternError(
            "`!` has no meaning in GitHub's CODEOWNERS patterns; "
            f'write `path: "{text[1:]}"` with `unowned: true`'
        )
    if not text.strip("/"):
        raise PatternError(f'a lone "{text}" owns nothing; `*` owns everything')
    if "***" in text:
        raise PatternError(f'"***" is no glob — did you mean "{re.sub("[*]{3,}", "**", text)}"?')
