"""Tells each team of its week: a thread that looks whether one is due, and a word that asks for it.

That a team was told of a week and what it is told are one transaction: a kill or a second service
on the same database tells of none twice.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from routers.digest import WEEK, chosen, messages, says_something
from routers.notification import Digest
from routers.rules import Rules
from routers.teams import Choice
from service.digest import digests
from service.lease import Lease
from service.store.digests import DigestStore
from service.store.rows import Delivery
from service.store.transaction import Transaction
from service.store.writer import Writer
from service.telemetry import Telemetry
from service.watch import Watch

SECONDS = 30.0  # between two looks
LATE = timedelta(days=1)  # what was missed for longer is left out


class Told(msgspec.Struct, frozen=True):
    deliveries: tuple[Delivery, ...]
    untold: dict[str, str]  # team → why not


class DigestWatch(Watch):
    def __init__(
        self,
        writer: Writer,
        store: DigestStore,
        rules: Callable[[], Rules | None],
        telemetry: Telemetry,
        *,
        clock: Callable[[], datetime],
        public_url: str,
        lease: Lease | None = None,
    ) -> None:
        super().__init__("digests", SECONDS, lease)
        self._writer = writer
        self._store = store
        self._rules = rules
        self._telemetry = telemetry
        self._clock = clock
        self._public_url = public_url

    def look(self) -> None:
        """Tell of the week that is due, whoever was not told of it yet and can be told now."""
        rules, now = self._rules(), self._clock()
        schedule = rules.policy.digest if rules else None
        if rules is None or schedule is None:
            return
        due = schedule.last(now)
        if now - due > LATE:
            return
        week, told = schedule.week(due), self._store.told()
        owed = {
            team: choice
            for team in rules.teams
            if told.get(team, "") < week and (choice := self._choice(team, rules, now)).channels
        }
        if owed:
            self._tell(owed, rules, schedule.before(due), due, week)

    def tell_now(self, rules: Rules, teams: list[str]) -> Told:
        """Of the last seven days, whatever was told before."""
        now = self._clock()
        choices = {team: self._choice(team, rules, now) for team in teams}
        told = {team: choice for team, choice in choices.items() if choice.channels}
        untold = {team: _why(team, choices[team], rules) for team in choices.keys() - told.keys()}
        return Told(tuple(self._tell(told, rules, now - WEEK, now)), untold)

    def _choice(self, team: str, rules: Rules, now: datetime) -> Choice:
        observes = rules.mode_of(team) == "observe"
        return Choice(()) if observes else chosen(team, rules, now)

    def _tell(
        self,
        choices: dict[str, Choice],
        rules: Rules,
        since: datetime,
        until: datetime,
        week: str | None = None,
    ) -> list[Delivery]:
        """week: is not told twice, and not of nothing."""
        if not choices:
            return []
        told: list[Delivery] = []
        found = digests(self._store.week(since, until), rules, since=since, until=until)
        for team, digest in found:
            if team in choices:
                told += self._queue(team, digest, choices[team], week)
        return told

    def _queue(self, team: str, digest: Digest, choice: Choice, week: str | None) -> list[Delivery]:
        told = list(messages(team, digest, choice.channels, public_url=self._public_url))
        now = self._clock()

        def work(tx: Transaction) -> list[Delivery]:
            if week and not (tx.tell_week(team, week) and says_something(digest)):
                return []
            return [tx.queue(one, now) for one in told]

        deliveries = self._writer.run(work)
        for one in deliveries:
            self._telemetry.queued(one.notification)
        return deliveries


def _why(team: str, choice: Choice, rules: Rules) -> str:
    if rules.mode_of(team) == "observe":
        return "observed"
    return "muted_time" if choice.muted else "no_receiver"
