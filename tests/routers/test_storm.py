"""What new groups may share, when they are a storm, and what is said of one."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from matchers.engine import match
from matchers.event import Event, ExceptionValue, Frame
from routers.channels.alertmanager import payload as alertmanager
from routers.channels.email import letter
from routers.channels.webhook import payload as webhook
from routers.incident import key
from routers.message import also, facts, headline, permalink, plain
from routers.notification import Cause, Notification, Storm
from routers.policy import StormPolicy
from routers.storm import COUNTED, Watch, causes, dependency, gathering, raised_in
from tests.alerts import NOTIFICATION, NOW, an_alert, crowd
from tests.builders import an_event, the_rules

POLICY = StormPolicy(groups=3, within=timedelta(seconds=60))
STORM = Storm(
    id="0195-storm", cause=Cause("release", "2026.3.1"), since=NOW, groups=2_981, events=100_000
)
SECOND = timedelta(seconds=1)


def new(number: int, **over: Any) -> Notification:
    named = {"release": None, "reason": "first_seen", "group": f"{number:016x}"}
    return msgspec.structs.replace(NOTIFICATION, **(named | over))


def broken_by(*told: Notification, every: timedelta = SECOND) -> list[tuple[Cause, int]]:
    """The storms that break, one notification after the other."""
    watch = Watch()
    found = (
        watch.see(one, str(number), NOW + number * every, POLICY) for number, one in enumerate(told)
    )
    return [(cause, len(seen)) for cause, seen in filter(None, found)]


@pytest.mark.parametrize(
    ("shared", "cause"),
    [
        ({"raised_in": "db.py in connect"}, Cause("frame", "db.py in connect")),
        ({"dependency": "psycopg2"}, Cause("dependency", "psycopg2")),
        ({"release": "2026.3.1"}, Cause("release", "2026.3.1")),
        ({"release": "2026.3.1", "dependency": "psycopg2"}, Cause("dependency", "psycopg2")),
    ],
)
def test_enough_new_groups_with_one_thing_in_common_are_a_storm(
    shared: dict[str, str], cause: Cause
) -> None:
    assert broken_by(*(new(number, **shared) for number in range(3))) == [(cause, 3)]


@pytest.mark.parametrize(
    ("told", "every"),
    [
        ([new(0, release="1"), new(1, release="1")], SECOND),  # too few
        ([new(number, release="1") for number in range(9)], 31 * SECOND),  # too slowly
        ([new(number) for number in range(9)], SECOND),  # nothing in common
        ([new(number, release=str(number)) for number in range(9)], SECOND),
        ([new(n, release="1", team=f"team{n}") for n in range(9)], SECOND),
        ([new(n, release="1", receiver=f"channel{n}") for n in range(9)], SECOND),
        ([new(n, release="1", environment=f"stage{n}") for n in range(9)], SECOND),
    ],
)
def test_all_else_is_none(told: list[Notification], every: timedelta) -> None:
    assert broken_by(*told, every=every) == []


def test_of_many_things_that_nobody_shares_only_so_many_are_remembered() -> None:
    watch = Watch()
    for number in range(3 * COUNTED):
        watch.see(new(number, release=str(number)), str(number), NOW, POLICY)
    assert len(watch._seen) <= COUNTED


@pytest.mark.parametrize(
    ("lasts", "gathers"),
    [(1, 60), (60, 60), (90, 90), (600, 600), (86_400, 1_800)],
)
def test_a_long_storm_is_told_ever_rarer(lasts: int, gathers: int) -> None:
    told = gathering(NOW, NOW + timedelta(seconds=lasts), POLICY)
    assert told == timedelta(seconds=gathers)


def of_frame(frame: Frame, platform: str = "python") -> tuple[str, str]:
    """What an event whose raise that frame is may share."""
    caller = Frame(filename="billing/tax.py", function="rate", in_app=True)
    error = ExceptionValue(type="OperationalError", frames=(caller, frame))
    event: Event = an_event(exceptions=[], platform=platform)
    event = msgspec.structs.replace(event, exceptions=(error,))
    rules = the_rules("teams: {payments: {}}\nrules: [{path: /billing/, owner: payments}]")
    ownership = match(event, rules.ruleset)
    return raised_in(event, ownership), dependency(event, ownership)


@pytest.mark.parametrize(
    ("frame", "platform", "shared"),
    [
        (
            Frame(abs_path="/usr/lib/python3/site-packages/psycopg2/extras.py", function="execute"),
            "python",
            ("usr/lib/python3/site-packages/psycopg2/extras.py in execute", "psycopg2"),
        ),
        (
            Frame(filename="psycopg2/extras.py", module="psycopg2.extras", in_app=False),
            "python",
            ("psycopg2/extras.py", "psycopg2"),
        ),
        (
            Frame(filename="app/node_modules/@acme/pool/lib/a.js", function="get", in_app=False),
            "node",
            ("app/node_modules/@acme/pool/lib/a.js in get", "@acme/pool"),
        ),
        (
            Frame(filename="/var/gems/pg-1.5.4/lib/pg.rb", function="connect", in_app=False),
            "ruby",
            ("var/gems/pg-1.5.4/lib/pg.rb in connect", "pg"),
        ),
        (
            Frame(
                abs_path="/go/pkg/mod/github.com/jackc/pgx/v5@v5.5.0/conn.go",
                function="Connect",
                in_app=False,
            ),
            "go",
            (
                "/go/pkg/mod/github.com/jackc/pgx/v5@v5.5.0/conn.go in Connect",
                "github.com/jackc/pgx/v5",
            ),
        ),
        (
            Frame(filename="PgConnection.java", module="org.postgresql.jdbc.Pg", in_app=False),
            "java",
            ("org/postgresql/jdbc/PgConnection.java", "org.postgresql"),
        ),
        (
            Frame(filename="billing/db.py", function="connect", in_app=True),
            "python",
            ("billing/db.py in connect", ""),
        ),
    ],
)
def test_the_frame_that_raised_and_its_package_are_what_is_shared(
    frame: Frame, platform: str, shared: tuple[str, str]
) -> None:
    assert of_frame(frame, platform) == shared


def test_a_cause_that_is_not_known_is_none() -> None:
    assert causes(new(0)) == ()


def test_a_storm_says_that_it_is_one_of_what_and_how_much() -> None:
    alert = an_alert(storm=STORM, others=crowd("KeyError", 30), more=2_900)
    said = headline(alert)
    assert said.startswith("Storm of 2,981 new errors, all in release 2026.3.1; the worst: New")
    known = dict(facts(alert))
    assert (known["Groups"], known["Events"]) == ("2,981, 2,931 of them told here", "100,000")
    assert (known["Since"], len(known)) == ("2026-03-01 12:00:00 UTC", 9)
    assert also(alert, 8)[-1] == "and 2,922 more"
    assert "and 2,930 more alerts" in plain(alert)


@pytest.mark.parametrize(("team", "named"), [("payments", "payments"), (None, "unowned")])
def test_a_storm_links_to_all_groups_of_its_team(team: str | None, named: str) -> None:
    link = permalink(an_alert(storm=STORM, team=team))
    assert link == f"https://pointsman.example.com/?team={named}"


def test_all_that_is_told_of_a_storm_is_one_incident() -> None:
    keys = {key(an_alert(storm=STORM, group=f"{n:016x}", id=str(n))) for n in range(3)}
    assert keys == {"pointsman-storm-0195-storm"}
    (told,) = alertmanager(an_alert(storm=STORM), timedelta(hours=1))
    assert told["labels"]["fingerprint"] == "storm-0195-storm"


def test_a_storm_is_one_alert_at_alertmanager_whichever_group_is_the_worst() -> None:
    owned = {"feature": "invoicing", "criticality": "high"}
    hour = timedelta(hours=1)
    (first,) = alertmanager(an_alert(storm=STORM, ownership=owned), hour)
    (second,) = alertmanager(an_alert(storm=STORM, project="2"), hour)
    assert first["labels"] == second["labels"]
    assert first["annotations"]["feature"] == "invoicing"


@pytest.mark.parametrize(
    "over",
    [
        {"storm": STORM},
        {"others": crowd("KeyError", 3)},
        {"reason": "digest"},
        {"reason": "test"},
    ],
)
def test_a_mail_of_no_one_group_is_in_no_groups_thread(over: dict[str, Any]) -> None:
    alert = an_alert(**over)
    mail = letter(alert, "bot@example.com", ["a@example.com"])
    assert mail["Subject"][:30] == headline(alert)[:30]
    assert (mail["References"], mail["In-Reply-To"]) == (None, None)


def test_a_webhook_names_what_fits_and_counts_the_rest() -> None:
    told = webhook(an_alert(storm=STORM, others=crowd("x" * 300, 1_000), more=500))
    named = len(told["notifications"])
    assert 300 < named < 1_001
    assert told["omitted"] == 1_501 - named
    assert told["storm"]["cause"] == {"kind": "release", "value": "2026.3.1"}
    assert told["notifications"][0]["ownership"]["owners"] == ["payments"]
    assert told["notifications"][1] | {"group": ""} == told["notifications"][2] | {
        "group": "",
        "title": told["notifications"][1]["title"],
    }


def test_a_webhook_that_is_refused_counts_all_others() -> None:
    told = webhook(an_alert(others=crowd("KeyError", 3), plain=True))
    assert (len(told["notifications"]), told["omitted"]) == (1, 3)


def test_what_is_in_one_storm_begins_no_other() -> None:
    both = {"raised_in": "db.py in connect", "release": "2026.3.1"}
    told = [new(number, **both) for number in range(3)]
    later = [new(number, release="2026.3.1") for number in range(3, 6)]
    assert broken_by(*told, *later) == [
        (Cause("frame", "db.py in connect"), 3),
        (Cause("release", "2026.3.1"), 3),
    ]
