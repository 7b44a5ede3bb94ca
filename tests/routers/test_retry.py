from datetime import timedelta

import pytest

from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from routers.retry import Dead, PlainOnce, Retry, Tries, Verdict, backoff, judge
from tests.alerts import NOW

BUSY = TemporaryError("server_error", "answered 503")
LATER = TemporaryError("rate_limited", "answered 429", retry_after=timedelta(minutes=2))
GONE = PermanentError("gone", "answered 410")
MALFORMED = RefusedError("malformed", "answered 400")
DAY = timedelta(hours=24)


def after(seconds: float) -> Retry:
    return Retry(NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("error", "attempts", "age", "plain", "verdict"),
    [
        (BUSY, 1, timedelta(), False, after(0.5)),
        (BUSY, 4, timedelta(), False, after(4)),
        (BUSY, 19, timedelta(), False, after(150)),
        (BUSY, 20, timedelta(), False, Dead("attempts", "server_error")),
        (BUSY, 2, DAY - timedelta(seconds=1), False, after(1)),
        (BUSY, 2, DAY, False, Dead("lifetime", "server_error")),
        (BUSY, 2, timedelta(), True, after(1)),
        (LATER, 1, timedelta(), False, after(120)),
        (LATER, 19, timedelta(), False, after(150)),
        (LATER, 20, timedelta(), False, Dead("attempts", "rate_limited")),
        (GONE, 1, timedelta(), False, Dead("permanent", "gone")),
        (MALFORMED, 1, timedelta(), False, PlainOnce()),
        (MALFORMED, 20, DAY, False, PlainOnce()),
        (MALFORMED, 2, timedelta(), True, Dead("refused", "malformed")),
    ],
)
def test_a_failure_has_one_verdict(
    error: DeliveryError, attempts: int, age: timedelta, plain: bool, verdict: Verdict
) -> None:
    tries = Tries(attempts=attempts, first_at=NOW - age, plain=plain)
    assert judge(error, tries, now=NOW, random=0.5) == verdict


@pytest.mark.parametrize(
    ("attempts", "longest"), [(1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (19, 300)]
)
def test_the_jitter_is_full(attempts: int, longest: int) -> None:
    assert backoff(attempts, 0.0) == timedelta()
    assert backoff(attempts, 1.0) == timedelta(seconds=longest)
