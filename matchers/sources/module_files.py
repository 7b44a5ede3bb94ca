"""One small file per package, which says whose the package is: `**/module.yaml`.

A module file owns the directory it stands in and all below; the deepest wins. Read strictly: it is
a format of ours. Cases: tests/matchers/test_module_files.py.
"""

from matchers.errors import Origin
from matchers.kinds.base import Text, Texts
from matchers.patterns import below
from matchers.ruleset import Rule
from matchers.sources.base import Site, depth
from matchers.sources.checker import Checker
from matchers.sources.document import read_document
from matchers.sources.schema import Strict


class ModuleFile(Strict):
    owner: Text | None = None
    owners: Texts | None = None
    feature: Text | None = None
    criticality: Text | None = None


def read_module_files(pattern: str, site: Site, origin: Origin) -> list[Rule]:
    """A rule for each file, those further up first."""
    rules = (_rule(path, site) for path in sorted(site.files(pattern, origin), key=depth))
    return [rule for rule in rules if rule is not None]


def _rule(path: str, site: Site) -> Rule | None:
    """None: it has a mistake, which is said, or no owner that a team claims."""
    raw = site.read(path)
    if raw is None:
        return None
    checker = Checker(read_document(raw, site.shown(path)))
    module = _checked(checker)
    for problem in checker.problems:
        site.say(problem)
    if module is None or checker.problems:
        return None
    named = [module.owner] if module.owner else module.owners or []
    key = "owner" if module.owner else "owners"
    slugs = site.slugs(
        (name, checker.document.origin((key, number))) for number, name in enumerate(named)
    )
    if not slugs:
        return None
    pattern = below(path.rpartition("/")[0])
    return Rule(
        origin=checker.document.origin((key,), key=True),
        text=f"path: {pattern}",
        owners=slugs,
        feature=module.feature,
        criticality=module.criticality,
        paths=(pattern,),
    )


def _checked(checker: Checker) -> ModuleFile | None:
    if checker.document.data is None and checker.problems:
        return None  # no YAML, which is said
    module = checker.model(ModuleFile, checker.document.data or {}, ())
    if module is not None and module.owner and module.owners:
        checker.problem((), "write `owner` or `owners`, not both")
    elif module is not None and not module.owner and not module.owners:
        checker.problem((), "the file names no owner")
    return module
