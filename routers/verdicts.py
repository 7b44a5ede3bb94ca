"""What people say of a group: dealt with, of no interest for now, not ours. Pure."""

from datetime import datetime

import msgspec

from routers.group import Group, Ignored, Until

_replaced = msgspec.structs.replace


def resolved(group: Group, now: datetime, release: str | None = None) -> Group:
    """release: it is dealt with in this one; None: in whatever runs now."""
    return _replaced(group, status="resolved", resolved_at=now, resolved_in=release, ignored=None)


def unresolved(group: Group) -> Group:
    """As if it had been neither resolved nor ignored."""
    return _replaced(
        group, status="unresolved", resolved_at=None, resolved_in=None, ignored=None, woken_at=None
    )


def ignored(group: Group, now: datetime, until: Until) -> Group:
    said = Ignored(at=now, times_seen=group.times_seen, until=until)
    return _replaced(group, status="ignored", ignored=said, woken_at=None)


def assigned(group: Group, now: datetime, team: str | None, decided: str | None) -> Group:
    """team: a slug; None: whoever the rules name again, which `decided` last was."""
    return _replaced(group, assigned=team, moved_at=now, team=team or decided)
