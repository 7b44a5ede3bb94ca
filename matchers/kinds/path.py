"""`path:`, a CODEOWNERS pattern in GitHub's dialect, asked of a frame's repository path."""

from collections.abc import Callable

from matchers.index import PathIndex
from matchers.kinds.base import Kind, Sight, Texts
from matchers.patterns import parse_pattern


def compile_path(patterns: list[str]) -> Callable[[Sight], bool]:
    """Raises PatternError."""
    index = PathIndex((pattern, 0) for pattern in patterns)
    return lambda sight: sight.path is not None and bool(index.matches(sight.path))


KIND = Kind(
    "path", "frame", Texts, compile_path, check=lambda texts: list(map(parse_pattern, texts))
)
