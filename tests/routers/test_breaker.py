"""When a destination is given up for now, and when it is asked again."""

from datetime import timedelta

import pytest

from routers.breaker import OPENS_AFTER, PROBE_AFTER, Breaker, failed, probed
from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from tests.alerts import NOW

LOST = TemporaryError("timeout", "no whole answer in time")


def after(*failures: DeliveryError, every: timedelta = timedelta(seconds=10)) -> Breaker | None:
    breaker = None
    for number, error in enumerate(failures):
        breaker = failed(breaker, error, NOW + number * every)
    return breaker


@pytest.mark.parametrize("code", ["gone", "unauthorized", "forbidden", "not_found", "redirect"])
def test_a_destination_that_is_gone_is_given_up_at_once(code: str) -> None:
    breaker = after(PermanentError(code, "no"))
    assert breaker is not None
    assert (breaker.is_open, breaker.is_gone, breaker.opened_at) == (True, True, NOW)


@pytest.mark.parametrize(
    ("count", "seconds", "is_open"), [(4, 60, False), (5, 7, False), (5, 8, True), (31, 1, True)]
)
def test_one_that_does_not_answer_is_given_up_after_a_while(
    count: int, seconds: int, is_open: bool
) -> None:
    breaker = after(*[LOST] * count, every=timedelta(seconds=seconds))
    assert breaker is not None
    assert (breaker.is_open, breaker.is_gone) == (is_open, False)


@pytest.mark.parametrize(
    "error",
    [
        TemporaryError("rate_limited", "slowly", pause=True),
        RefusedError("malformed", "what?"),
        PermanentError("rejected", "this one not"),
        PermanentError("unconfigured", "$HOOK is not set"),
        PermanentError("receiver_gone", "no such channel"),
        TemporaryError("internal", "the channel itself failed"),
    ],
)
def test_what_says_nothing_of_the_destination_opens_nothing(error: DeliveryError) -> None:
    assert after(*[error] * 50) is None


@pytest.mark.parametrize(("probes", "minutes"), [(0, 0.5), (1, 1), (2, 2), (3, 4), (4, 5), (99, 5)])
def test_it_is_asked_ever_rarer(probes: int, minutes: float) -> None:
    breaker = after(*[PermanentError("gone", "no")] * (1 + probes), every=timedelta())
    assert breaker is not None
    assert breaker.probe_at == NOW + timedelta(minutes=minutes)


def test_while_it_is_asked_nobody_else_asks() -> None:
    breaker = after(PermanentError("gone", "no"))
    assert breaker is not None
    due = NOW + PROBE_AFTER
    assert (breaker.is_shut(due - timedelta(seconds=1)), breaker.is_shut(due)) == (True, False)
    assert probed(breaker, due).is_shut(due)


def test_since_when_it_fails_is_known() -> None:
    breaker = after(*[LOST] * 20)
    assert breaker is not None
    assert (breaker.since, breaker.failures) == (NOW, 20)
    assert breaker.opened_at == NOW + 10 * timedelta(seconds=4)
    assert breaker.opened_at >= NOW + OPENS_AFTER
