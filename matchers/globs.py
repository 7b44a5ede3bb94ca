"""Globs in which `*` and `?` match any character, `/` too, compared whole, case counting.

Linear in the text: each run between two stars is found leftmost and never tried again (an atomic
group), which loses no match because what follows is a star.
"""

import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=4096)
def compile_glob(pattern: str) -> Callable[[str], bool]:
    if "*" not in pattern and "?" not in pattern:
        return pattern.__eq__
    regex = re.compile(glob_regex(pattern, any_character=".", any_run=".*"), re.DOTALL)
    return lambda text: regex.fullmatch(text) is not None


def glob_regex(pattern: str, *, any_character: str, any_run: str) -> str:
    """The regular expression of one glob; `any_run` is what a star matches, greedily."""
    first, *rest = [_literal(piece, any_character) for piece in re.split(r"\*+", pattern)]
    if not rest:
        return first
    middle = "".join(f"(?>{any_run}?{piece})" for piece in rest[:-1])
    return f"{first}{middle}{any_run}{rest[-1]}"


def _literal(piece: str, any_character: str) -> str:
    return any_character.join(map(re.escape, piece.split("?")))
