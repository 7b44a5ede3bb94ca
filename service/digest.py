"""Each team's week: what was new, what still burns, what was resolved, what it was spared."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from matchers.lookup import look_up
from matchers.ruleset import Ruleset
from routers.digest import ENTRIES, TITLE_LIMIT
from routers.group import Group
from routers.message import shorten
from routers.notification import Digest, Entry, Outcome, Tally
from routers.rules import Rules
from service.store.digests import Week

SPARED: tuple[Outcome, ...] = ("grouped", "silenced", "muted_time", "ignored", "below_level")
_GLOB = frozenset("*?[\\")


def digests(
    week: Week, rules: Rules, *, since: datetime, until: datetime
) -> Iterator[tuple[str, Digest]]:
    """By the slug of every team."""
    nearby = _unowned_near(week, rules.ruleset)
    of: dict[str, list[Group]] = {team: [] for team in rules.teams}
    for group in week.groups:
        of.get(group.team or "", []).append(group)
    for team, groups in of.items():
        yield (
            team,
            Digest(
                since=since,
                until=until,
                new=_tally([one for one in groups if since <= one.first_seen < until], week),
                burning=_tally([one for one in groups if _burns(one, week, since)], week),
                resolved=_tally([one for one in groups if _resolved(one, since, until)], week),
                unowned_near=_tally(nearby.get(team, ()), week),
                saved=_saved(team, groups, week),
            ),
        )


def _burns(group: Group, week: Week, since: datetime) -> bool:
    is_old = group.first_seen < since
    return is_old and group.status == "unresolved" and group.id in week.times


def _resolved(group: Group, since: datetime, until: datetime) -> bool:
    at = group.resolved_at
    return group.status == "resolved" and at is not None and since <= at < until


def _tally(groups: Iterable[Group], week: Week) -> Tally:
    """The most often seen first."""
    entries = [
        Entry(
            group=group.id,
            title=shorten(group.title, TITLE_LIMIT),
            times_seen=week.times.get(group.id, Counter()).total(),
        )
        for group in groups
    ]
    worst = sorted(entries, key=lambda entry: (-entry.times_seen, entry.group))
    return Tally(len(entries), tuple(worst[:ENTRIES]))


def _saved(team: str, groups: Iterable[Group], week: Week) -> dict[str, int]:
    outcomes = Counter[str]()
    for group in groups:
        outcomes.update(week.times.get(group.id, ()))
    counted = [*((why, outcomes[why]) for why in SPARED), ("merged", week.merged.get(team, 0))]
    return {why: n for why, n in counted if n}


def _unowned_near(week: Week, ruleset: Ruleset) -> dict[str, list[Group]]:
    """By team: groups of nobody that broke in, beside or below a folder that the team owns."""
    unowned = [one for one in week.groups if one.team is None and one.id in week.times]
    if not unowned:
        return {}
    neighbours = _neighbours(ruleset)
    found: dict[str, list[Group]] = {}
    for group in unowned:
        path = group.culprit.partition(" in ")[0]
        if _is_owned_or_on_purpose(path, ruleset):
            continue
        folder = path.rpartition("/")[0]
        places = {folder, folder.rpartition("/")[0]} - {""}
        for team in {team for place in places for team in neighbours.get(place, ())}:
            found.setdefault(team, []).append(group)
    return found


def _is_owned_or_on_purpose(path: str, ruleset: Ruleset) -> bool:
    """By the rules now in force."""
    return path.startswith("/") or look_up(path, ruleset).rule is not None


def _neighbours(ruleset: Ruleset) -> dict[str, set[str]]:
    """Folder → the teams that own it, or something directly in it."""
    found: dict[str, set[str]] = {}
    for rule in ruleset.rules:
        for one in rule.members() if rule.members else (rule,):
            for path in one.paths:
                owned = _literal(path)
                for folder in (owned, owned.rpartition("/")[0]):
                    found.setdefault(folder, set()).update(one.owners)
    return found


def _literal(pattern: str) -> str:
    """A pattern's path up to its first wildcard; "" where it may lie anywhere."""
    if "/" not in pattern.rstrip("/"):
        return ""
    parts = pattern.strip("/").split("/")
    wild = next((at for at, part in enumerate(parts) if _GLOB & set(part)), len(parts))
    return "/".join(parts[:wild])
