"""What a list shows beside each group: the newest that was told of it, a few."""

from pathlib import Path

from service.store.store import GroupFilter
from tests.service.days import DAY, the_days


def test_of_each_group_the_newest_three_that_were_told_are_shown(
    tmp_path: Path, either: str
) -> None:
    with the_days(tmp_path) as days:
        for _ in range(5):
            often = days.fail("billing/tax.py")
            days.pass_by(2 * DAY)
        once = days.fail("search/words.py")
        store = days.inside.store
        latest = store.latest(store.groups(GroupFilter(), 50).items)
        told = {group: store.deliveries(3, group=group).items for group in (often, once)}
    newest = {group: [one.id for one in some] for group, some in told.items()}
    shown = {group: [one.id for one in each.deliveries] for group, each in latest.items()}
    assert shown == newest
    assert [len(newest[group]) for group in (often, once)] == [3, 1]
