"""The upstream is down for a minute while errors come in, and the service is killed meanwhile."""

import http.client
import json
import sys
import tempfile
import time
import uuid
from pathlib import Path

from tests.running import Service, a_service, wait_for
from tests.upstream.recorder import Recorder

DOWN = 60.0  # seconds
EVENTS = 20  # a second
RULES = """version: 1
teams:
  payments: {receivers: [{channel: log}]}
rules:
  - {path: /billing/, owner: payments, feature: invoices}
"""
KEY = "a key of sixteen characters or more"
ADDED = {"owner": "payments", "owner_rule": "ownership_rules.yaml:5", "feature": "invoices"}


def main() -> None:
    upstream = Recorder()
    settings = {
        "POINTSMAN_SENTRY_UPSTREAM": upstream.dsn,
        "POINTSMAN_SECRET_KEY": KEY,
        "LOG_LEVEL": "error",
    }
    with tempfile.TemporaryDirectory() as name, a_service(Path(name), RULES, **settings) as service:
        sent = _send_while_it_is_down(service)
        upstream.start()
        began = time.monotonic()
        wait_for(lambda: "pointsman_upstream_pending 0.0" in service.text("/metrics"), 300)
        took, books = time.monotonic() - began, service.settled_books()
        upstream.stop()
    _report(upstream, sent, took, books)


def _send_while_it_is_down(service: Service) -> dict[str, dict[str, object]]:
    """What was answered 200, by its id; half way the service is killed and started again."""
    sent: dict[str, dict[str, object]] = {}
    began, killed = time.monotonic(), False
    while time.monotonic() - began < DOWN:
        if not killed and time.monotonic() - began > DOWN / 2:
            service.kill()
            service.start()
            killed = True
        event = _event(len(sent))
        if _post(service, event) == 200:
            sent[str(event["event_id"])] = event
        time.sleep(1 / EVENTS)
    return sent


def _event(number: int) -> dict[str, object]:
    frame = {"filename": f"billing/of{number % 50}.py", "function": "pay", "vars": {"n": number}}
    error = {"type": "KeyError", "value": "DE", "stacktrace": {"frames": [frame]}}
    return {
        "event_id": uuid.uuid4().hex,
        "exception": {"values": [error]},
        "extra": {"number": number, "share": number / 7},
        "tags": {"queue": "mail"},
    }


def _post(service: Service, event: dict[str, object]) -> int:
    header = json.dumps({"event_id": event["event_id"]})
    body = f'{header}\n{{"type":"event"}}\n{json.dumps(event)}\n'
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    connection.request("POST", "/api/1/envelope/", body)
    return connection.getresponse().status


def _report(
    upstream: Recorder, sent: dict[str, dict[str, object]], took: float, books: dict[str, int]
) -> None:
    arrived = upstream.events()
    missing = sent.keys() - arrived.keys()
    changed = [
        one
        for one, event in sent.items()
        if one in arrived and arrived[one] != event | {"tags": {"queue": "mail"} | ADDED}
    ]
    print(f"down      {DOWN:g} s, the service killed half way")
    print(f"accepted  {books['accepted']} events, {len(sent)} answered, {len(missing)} missing")
    print(f"arrived   {len(arrived)} in {len(upstream.posted)} posts, {len(changed)} changed")
    print(f"caught up {took:.1f} s after it was back; unaccounted {books['unaccounted']}")
    if missing or changed or books["unaccounted"] or len(sent) < DOWN * EVENTS / 2:
        sys.exit("an event was lost, changed or not accounted for, or too few were sent")


if __name__ == "__main__":
    main()
