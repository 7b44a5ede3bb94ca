"""A watch goes on looking, whatever a look met, and says what that was."""

import pytest

from service.store.writer import StoreUnavailableError
from service.watch import Watch
from tests.running import wait_for


class Watching(Watch):
    def __init__(self, met: Exception) -> None:
        super().__init__("anything", 0.01)
        self.looks = 0
        self._met = met

    def look(self) -> None:
        self.looks += 1
        if self.looks == 1:
            raise self._met


@pytest.mark.parametrize(
    ("met", "said"),
    [
        (StoreUnavailableError("locked"), "watch_cannot_look"),
        (KeyError("a mistake of ours"), "watch_failed"),
    ],
)
def test_no_look_is_the_last_one(
    met: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    watching = Watching(met)
    watching.start()
    wait_for(lambda: watching.looks > 2)
    watching.stop()
    assert [record.message for record in caplog.records if record.levelname != "DEBUG"] == [said]


class Away(Watching):
    def look(self) -> None:
        self.looks += 1
        if self.looks not in (4, 5):
            raise self._met


def test_what_every_look_meets_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    watching = Away(StoreUnavailableError("locked"))
    watching.start()
    wait_for(lambda: watching.looks > 8)
    watching.stop()
    assert [record.message for record in caplog.records].count("watch_cannot_look") == 2
