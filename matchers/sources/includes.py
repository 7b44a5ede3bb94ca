"""What an entry of `rules:` can bring, besides team files: one line here for each way.

Each reader takes the entry, the site and the entry's own origin, and gives rules in
the order of their precedence, the last winning.
"""

from collections.abc import Callable, Iterable

from matchers.errors import Origin
from matchers.ruleset import Rule
from matchers.sources.annotations import read_annotations, read_codeowner_files
from matchers.sources.base import Site
from matchers.sources.codeowners import read_codeowners
from matchers.sources.module_files import read_module_files
from matchers.sources.owners_yaml import read_owners_yaml
from matchers.sources.schema import IncludeEntry

Reader = Callable[[IncludeEntry, Site, Origin], Iterable[Rule]]


def _of(key: str, read: Callable[[str, Site, Origin], Iterable[Rule]]) -> Reader:
    """A reader that needs no more than what its key says."""
    return lambda entry, site, origin: read(getattr(entry, key), site, origin)


INCLUDES: dict[str, Reader] = {
    "codeowners": lambda entry, site, origin: read_codeowners(
        str(entry.codeowners), entry.dialect, site, origin
    ),
    "owners_yaml": _of("owners_yaml", read_owners_yaml),
    "module_files": _of("module_files", read_module_files),
    "annotations": _of("annotations", read_annotations),
    "codeowner_files": _of("codeowner_files", read_codeowner_files),
}


def mistake_of(entry: IncludeEntry) -> tuple[str, str] | None:
    """The key that an entry cannot have, and why; None: it brings one kind of files."""
    first, *others = (key for key in ("include", *INCLUDES) if key in entry.model_fields_set)
    if getattr(entry, first) is None:
        return first, "expected text"
    if others:
        return others[0], f"an entry brings one kind of files, and this has `{first}`"
    if first != "codeowners" and "dialect" in entry.model_fields_set:
        return "dialect", "`dialect` is of `codeowners` alone"
    return None
