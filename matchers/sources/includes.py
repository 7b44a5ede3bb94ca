"""What an entry of `rules:` can bring, besides team files: one line here for each way.

Each reader takes what the entry's key says, the site and the entry's own origin, and gives rules in
the order of their precedence, the last winning.
"""

from collections.abc import Callable, Iterable

from matchers.errors import Origin
from matchers.ruleset import Rule
from matchers.sources.annotations import read_annotations, read_codeowner_files
from matchers.sources.base import Site
from matchers.sources.module_files import read_module_files
from matchers.sources.owners_yaml import read_owners_yaml

Reader = Callable[[str, Site, Origin], Iterable[Rule]]

INCLUDES: dict[str, Reader] = {
    "owners_yaml": read_owners_yaml,
    "module_files": read_module_files,
    "annotations": read_annotations,
    "codeowner_files": read_codeowner_files,
}
