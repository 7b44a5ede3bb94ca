"""What an entry of `rules:` can bring, besides team files: one line here for each way.

Each reader takes the entry, the site and the entry's own origin, and gives rules in the order of
their precedence, the last winning.
"""

from collections.abc import Callable, Iterable

from matchers.errors import Origin
from matchers.ruleset import Rule
from matchers.sources.base import Site
from matchers.sources.schema import IncludeEntry

Reader = Callable[[IncludeEntry, Site, Origin], Iterable[Rule]]

INCLUDES: dict[str, Reader] = {}
