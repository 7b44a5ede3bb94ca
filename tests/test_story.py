"""Whole ways through the real service: a process of its own, real senders, real receivers."""

import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest

from examples.monolith.demo import EXPECTED
from tests.running import ROOT, Load, a_receiver, a_service, environment, spilled_in, wait_for

SHOP_RULES = (ROOT / "ownership_rules.yaml").read_text(encoding="utf-8")
BUSY_DAY = """
import sys
import sentry_sdk
from examples.monolith.shop import app

sentry_sdk.init(_experiments={"transport_compression_algo": sys.argv[1]})
assert sentry_sdk.get_client().transport._compression_algo == sys.argv[1]
for _ in range(50):
    app.get("/checkout?hat=fez&country=Atlantis")
sentry_sdk.flush(timeout=20)
"""
TERMINATED = 128 + signal.SIGTERM


def rules_for(**teams: str) -> str:
    """Team → the URL of its webhook. Each owns shop/<team>/."""
    return "\n".join(
        [
            "version: 1",
            "teams:",
            *(f"  {team}: {{receivers: [{{channel: {team}-hook}}]}}" for team in teams),
            "channels:",
            *(f"  {team}-hook: {{webhook: {{url: '{url}'}}}}" for team, url in teams.items()),
            "rules:",
            *(f"  - {{path: /shop/{team}/, owner: {team}}}" for team in teams),
        ]
    )


def run(*arguments: str, **settings: str) -> None:
    subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(**settings),
        check=True,
        capture_output=True,
        timeout=60,
    )


def test_the_errors_of_the_monolith_find_their_owners(tmp_path: Path) -> None:
    with a_service(tmp_path, SHOP_RULES) as service:
        run("-m", "examples.monolith", SENTRY_DSN=service.dsn)
        groups = service.groups()
        books = service.settled_books()
    assert {title: group["team"] for title, group in groups.items()} == {
        expected.error: expected.team for expected in EXPECTED
    }
    assert (books["accepted"], books["unaccounted"]) == (5, 0)


def test_the_demo_ends_well() -> None:
    run("-m", "examples.monolith.demo")


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_an_error_that_comes_fifty_times_is_told_once(tmp_path: Path, encoding: str) -> None:
    with a_service(tmp_path, SHOP_RULES) as service:
        run("-c", BUSY_DAY, encoding, SENTRY_DSN=service.dsn)
        (group,) = service.groups().values()
        service.settled_books()
    alert = service.console()
    assert (group["times_seen"], alert.count("ALERT ")) == (50, 1)
    assert alert.startswith("ALERT payments ")
    assert re.search(
        r"why +examples/monolith/shop/billing/tax\.py:\d+ in with_tax — "
        r"path: /examples/monolith/shop/billing/ \(ownership_rules\.yaml:\d+\)",
        alert,
    )


def test_sigterm_finishes_the_alert_in_flight(tmp_path: Path) -> None:
    with (
        a_receiver(lambda: time.sleep(1)) as hook,
        a_service(
            tmp_path, rules_for(payments=hook.url), POINTSMAN_ALLOW_PRIVATE_DESTINATIONS="true"
        ) as service,
    ):
        service.post(spilled_in(1)[1])
        wait_for(lambda: hook.heard)
        code = service.stop()
        service.start()
        (delivery,) = service.read("/api/v1/deliveries")["deliveries"]
    assert (code, len(hook.heard)) == (TERMINATED, 1)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)


def test_a_sender_that_goes_away_is_counted_and_no_fault_of_ours(tmp_path: Path) -> None:
    with a_service(tmp_path, SHOP_RULES) as service:
        for path in ("/api/v1/events", "/api/1/envelope/", "/api/v1/explain", "/login"):
            with socket.create_connection(("127.0.0.1", service.port)) as sender:
                head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{{}}"
                sender.sendall(head.encode())
        counted = 'pointsman_events_rejected_total{reason="disconnected"} 2.0'
        wait_for(lambda: counted in service.text("/metrics"))
    assert "Traceback" not in service.log()


def test_what_was_accepted_outlives_sigterm(tmp_path: Path) -> None:
    with a_service(tmp_path, SHOP_RULES) as service:
        load = Load(service.port, aisles=20)
        with load.from_clients(8):
            load.wait_for_more(200)
            code = service.stop()
        service.start()
        counted = {title: group["times_seen"] for title, group in service.groups().items()}
        books = service.read("/api/v1/accounting")
    assert (code, load.refused, books["unaccounted"]) == (TERMINATED, [], 0)
    assert_counted(counted, load)


def test_kill_9_in_the_middle_of_a_load_loses_nothing(tmp_path: Path) -> None:
    with (
        a_receiver(lambda: time.sleep(0.05)) as hook,  # so that a kill finds alerts on their way
        a_service(
            tmp_path, rules_for(payments=hook.url), POINTSMAN_ALLOW_PRIVATE_DESTINATIONS="true"
        ) as service,
    ):
        load = Load(service.port, aisles=4)
        with load.from_clients(8):
            for _ in range(5):
                load.wait_for_more(150)
                load.aisles += 4  # what is new is told: also around the kill
                load.wait_for_more(20)
                service.kill()
                service.start()
            load.wait_for_more(150)
        books = service.settled_books(seconds=60)
        counted = {title: group["times_seen"] for title, group in service.groups().items()}
    assert (load.refused, books["unaccounted"]) == ([], 0)
    assert_counted(counted, load)
    told = {(heard.notification["title"], heard.id) for heard in hook.heard}
    assert sorted(title for title, _ in told) == sorted(counted)  # each, always by one webhook-id
    assert books["deliveries"] == {"delivered": len(told), "merged": 0, "dead": 0, "pending": 0}


def test_a_webhook_that_hangs_delays_no_other(tmp_path: Path) -> None:
    let_go = Event()
    with (
        a_receiver(let_go.wait) as hanging,
        ExitStack() as at_last,
        a_receiver() as good,
        a_service(
            tmp_path,
            rules_for(web=hanging.url, search=good.url),
            POINTSMAN_ALLOW_PRIVATE_DESTINATIONS="true",
        ) as service,
    ):
        at_last.callback(let_go.set)
        service.post(spilled_in(0, team="web")[1])
        wait_for(lambda: hanging.heard)
        accepted_at = {}
        for aisle in range(1, 11):
            title, event = spilled_in(aisle, team="search")
            service.post(event)
            accepted_at[title] = time.monotonic()
            service.post(spilled_in(aisle, team="web")[1])
        wait_for(lambda: len(good.heard) == len(accepted_at))
    waited = [heard.at - accepted_at[heard.notification["title"]] for heard in good.heard]
    assert max(waited) < 2


def assert_counted(counted: dict[str, int], load: Load) -> None:
    """No answered event is missing, and none is counted that was not sent."""
    assert counted.keys() <= load.sent.keys()
    for title, sent in load.sent.items():
        assert load.answered[title] <= counted.get(title, 0) <= sent, title
