"""What an event waits for its commit, as a gauge that is asked now and then sees it."""

from sqlalchemy import create_engine

from service.store.lag import HALF_LIFE, Lag
from service.store.writer import Writer


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def waited(seconds: Seconds, lag: Lag, how_long: float) -> None:
    lag.begin()
    lag.take()
    seconds.now += how_long
    lag.done()


def test_nothing_waits_at_the_start() -> None:
    assert Lag(Seconds()).seconds() == 0


def test_the_longest_wait_is_held_and_halves() -> None:
    lag = Lag(seconds := Seconds())
    waited(seconds, lag, 2.0)
    waited(seconds, lag, 0.001)
    assert 1.9 < lag.seconds() <= 2.0
    seconds.now += HALF_LIFE
    assert 0.9 < lag.seconds() < 1.1


def test_a_commit_that_does_not_end_is_seen_while_it_lasts() -> None:
    lag = Lag(seconds := Seconds())
    lag.begin()
    lag.take()
    lag.begin()
    seconds.now += 7
    assert lag.seconds() == 7


def test_the_writer_tells_what_its_jobs_wait() -> None:
    writer = Writer(create_engine("sqlite://"))
    assert writer.lag.seconds() == 0
    writer.submit(lambda _tx: None)  # nobody serves it: the writer was not started
    assert writer.lag.seconds() > 0
