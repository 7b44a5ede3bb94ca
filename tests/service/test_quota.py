"""A runaway client is counted and not stored; nobody else notices it."""

from service.quota import MINUTE, SHOWN, Quota

ONE, OTHER = ("1", "key"), ("1", "another key")


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_worth_may_come_at_once() -> None:
    quota = Quota(60, seconds=Seconds())
    assert [quota.take(ONE, 40), quota.take(ONE, 40), quota.take(ONE, 1)] == [40, 20, 0]


def test_what_was_used_comes_back_within_a_minute() -> None:
    seconds = Seconds()
    quota = Quota(60, seconds=seconds)
    quota.take(ONE, 60)
    seconds.now = 5
    assert quota.take(ONE, 60) == 5
    seconds.now += 10 * MINUTE
    assert quota.take(ONE, 100) == 60


def test_each_project_and_key_has_its_own() -> None:
    quota = Quota(60, seconds=Seconds())
    quota.take(ONE, 60)
    assert quota.take(OTHER, 60) == 60


def test_without_a_quota_everything_is_stored() -> None:
    assert Quota(0).take(ONE, 10**9) == 10**9


def test_who_is_over_is_shown_while_it_goes_on() -> None:
    seconds = Seconds()
    quota = Quota(60, seconds=seconds)
    quota.take(ONE, 100)
    assert quota.exceeded() == {"1": 40}
    seconds.now = SHOWN + 1
    assert quota.exceeded() == {}


def test_a_crowd_of_senders_costs_bounded_memory() -> None:
    quota = Quota(1, seconds=Seconds())
    for number in range(20_000):
        quota.take((str(number), ""), 2)
    assert len(quota.exceeded()) == 10_000
