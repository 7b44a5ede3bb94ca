"""A CODEOWNERS file, in the dialect of GitHub, of GitLab (gitlab.py) or of Bitbucket.

Spec: https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
and https://support.atlassian.com/bitbucket-cloud/docs/set-up-and-use-code-owners/
One line is one rule, and the last that matches wins. A line without owners unowns its paths. Only
a bad line is dropped: one whose owners are all unknown does not unown. Bitbucket's differs from
GitHub's in its owners alone. Cases: conformance/codeowners.yaml.
"""

import re
from collections.abc import Iterator

from matchers.errors import Origin
from matchers.patterns import PatternError, parse_pattern
from matchers.ruleset import Rule
from matchers.sources.base import Site, within
from matchers.sources.gitlab import read_gitlab
from matchers.sources.owner_lines import Dialect, Line, read_lines, slugs, well_formed

_COMMENT = re.compile(r"(?:^|\s)#.*")
_HEADING = re.compile(r"\^?\[[^\]]*\](?:\[\d*\])?(?=\s|$)")


def read_codeowners(path: str, dialect: Dialect, site: Site, origin: Origin) -> list[Rule]:
    """origin: of the entry that names the file, for the problem that there is none."""
    place = path if path.startswith("/") else within(site.folder, path)
    raw = site.read(place, origin)
    if raw is None:
        return []
    file = site.shown(place)
    lines = read_lines(raw, file, site)
    if dialect == "gitlab":
        return [read_gitlab(lines, file, site)]
    return [rule for line in lines for rule in _rule(line, dialect, site)]


def _rule(line: Line, dialect: Dialect, site: Site) -> Iterator[Rule]:
    entry = read_entry(line, dialect, site)
    if entry is None:
        return
    pattern, names = entry
    owners = slugs(names, line.origin, site)
    if owners or not names:
        yield Rule(
            origin=line.origin,
            text=line.shown,
            owners=owners,
            unowned=not names,
            paths=(pattern,),
        )


def read_entry(line: Line, dialect: Dialect, site: Site) -> tuple[str, list[str]] | None:
    """A line's pattern and its owners as written, none where it has none; None: it is dropped."""
    if refused := _foreign(line.text):
        site.problem(line.origin, refused)
        return None
    pattern, rest = line.parted()
    try:
        parse_pattern(pattern)
    except PatternError as error:
        site.problem(line.origin, str(error))
        return None
    named = _COMMENT.sub("", rest).split()
    owners = well_formed(named, dialect, line.origin, site)
    return (pattern, owners) if owners or not named else None


def _foreign(text: str) -> str | None:
    """What other dialects mean by the line, and this one does not."""
    if _HEADING.match(text):
        return (
            "a section heading has no meaning in this dialect; "
            "a file with sections is read with `dialect: gitlab`"
        )
    if text.startswith("!"):
        return (
            "`!` has no meaning in this dialect; "
            f"the line `{text[1:].split(maxsplit=1)[0] if text[1:].strip() else '…'}` "
            "without an owner unowns"
        )
    if text.startswith("\\#"):
        return r"`\#` has no meaning in this dialect; `?` stands for any character"
    if re.match(r"/+(?:\s|$)", text):
        return "a lone `/` never matches anything; `*` owns everything"
    return None
