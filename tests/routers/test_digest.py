"""A digest as a message: its title, its lines, and that every kind of channel can tell it."""

from datetime import timedelta

import pytest

from routers.channels import CHANNELS
from routers.channels.log import render
from routers.digest import messages
from routers.message import also, digest_lines, facts
from routers.notification import Alert, Digest, Entry, Tally
from tests.alerts import crowd
from tests.builders import NOW
from tests.routers.test_channels import a_destination

ATTACK = "<!channel> @everyone *boom* |x>"


def tally(*titles: str, count: int = 0) -> Tally:
    entries = [Entry(group="0" * 16, title=title, times_seen=1200) for title in titles]
    return Tally(count or len(entries), tuple(entries))


WEEK = Digest(
    since=NOW - timedelta(days=7),
    until=NOW,
    new=tally("KeyError: 'DE'", "KeyError: 'FR'", count=1204),
    burning=tally("Timeout: bank"),
    unowned_near=tally("OSError: disk"),
    saved={"grouped": 12041, "merged": 3},
)


def a_digest(digest: Digest = WEEK, **more: object) -> Alert:
    (told,) = messages("payments", digest, ("log",), public_url="https://x.example")
    given = {"notification": told, "ownership": {}, "event": None} | more
    return Alert(id="0195-delivery", sent_at=NOW, **given)  # type: ignore[arg-type]


def test_the_console_shows_a_week() -> None:
    assert render(a_digest()).splitlines() == [
        "ALERT payments · info · digest",
        "  says         1,204 new, 1 burning, 1 unowned near, 12,044 not told",
        "  why          the week from 2026-11-16 03:00 UTC to 2026-11-23 03:00 UTC",
        "  new          1,204",
        "  burning      1",
        "  resolved     0",
        "  unowned near 1",
        "  not told     12,041 grouped, 3 merged",
        "               new · seen 1,200 · KeyError: 'DE'",
        "               new · seen 1,200 · KeyError: 'FR'",
        "               burning · seen 1,200 · Timeout: bank",
        "               unowned near · seen 1,200 · OSError: disk",
        "  page         https://x.example/?team=payments",
        "  delivery     0195-delivery",
        "",
    ]


@pytest.mark.parametrize(("named", "kinds"), [(9, "nnbu"), (4, "nnbu"), (3, "nbu"), (2, "")])
def test_each_kind_has_its_share_of_the_lines(named: int, kinds: str) -> None:
    assert "".join(line[0] for line in digest_lines(WEEK, named)) == kinds


def test_a_message_that_tells_others_too_still_counts_them() -> None:
    lines = also(a_digest(others=crowd("Boom", 10)), 6)
    assert lines[:4] == digest_lines(WEEK, 6)
    assert lines[6:] == ["and 8 more"]


def test_a_fact_that_says_nothing_is_left_out() -> None:
    quiet = Digest(since=WEEK.since, until=WEEK.until)
    assert "Not told" not in dict(facts(a_digest(quiet)))
    assert a_digest(quiet).notification.title == "a quiet week"


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", sorted(kind for kind in CHANNELS if CHANNELS[kind].merges))
def test_every_channel_that_is_read_can_tell_a_week(name: str, plain: bool) -> None:
    if name == "log":
        return
    with a_destination(name) as (channel, client, taken):
        channel.send(a_digest(plain=plain), client)
    told = str(taken[0])
    assert "204 new, 1 burning" in told
    assert plain or "Timeout: bank" in told


@pytest.mark.parametrize("name", ["slack", "discord", "msteams"])
def test_titles_ping_nobody_and_break_no_limit(name: str) -> None:
    tallies = tally(*[ATTACK * 6] * 5)
    digest = Digest(
        since=NOW, until=NOW, new=tallies, burning=tallies, resolved=tallies, unowned_near=tallies
    )
    with a_destination(name) as (channel, client, taken):
        channel.send(a_digest(digest), client)
    (body, _) = taken[0]  # type: ignore[misc]
    assert len(body) < 12_000
    assert name != "slack" or b"<!channel>" not in body
