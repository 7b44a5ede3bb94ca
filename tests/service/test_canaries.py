"""Nothing that is masked by default is found anywhere: each value is one of its own, then sought.

Random values stand in every field that is not kept; in every free text that is, there are values
that look like what they are: an address, a card, a token, a password.
"""

import hmac
import io
import json
import logging
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from service.logs import Line
from tests.ingest.otlp_requests import a_log, a_span, logs, traces
from tests.running import wait_for
from tests.service.house import running

NATIVE, ENVELOPE = "/api/v1/events", "/api/1/envelope/"
RULES = """version: 1
teams:
  payments:
    receivers:
      - {channel: hook, continue: true}
      - {channel: chat, continue: true}
      - {channel: log}
channels:
  hook: {webhook: {url: "https://93.184.215.14/alerts"}}
  chat: {slack: {webhook_url: "https://hooks.slack.com/services/T0/B0/x"}}
explicit_owner_tags: [squad]
rules:
  - {path: /billing/, owner: payments}
fallbacks:
  - {tags: {queue: "*"}, owner: payments}
default: payments
"""
VISIBLE = """visible:
  - extra.order.*
  - user.id
  - request.headers.x-request-id
  - request.query.page
  - contexts.runtime.*
  - vars.country
  - breadcrumbs.0.message
  - tags.customer
"""
SHOWN = (
    *("extra.order.id", "user.id", "request.headers.X-Request-Id", "request.query.page"),
    *("contexts.runtime.name", "vars.country", "breadcrumbs.0.message"),
)


class Canaries:
    """Every value that is made here is remembered."""

    def __init__(self) -> None:
        self.random: dict[str, str] = {}
        self.shaped: list[str] = []

    def __call__(self, name: str) -> str:
        self.random[name] = value = f"zq{secrets.token_hex(8)}"
        return value

    def text(self, before: str = "it failed") -> str:
        """A free text that holds one of each shape."""
        some = [secrets.token_hex(8) for _ in range(4)]
        digits = "4" + "".join(secrets.choice("0123456789") for _ in range(14))
        card = next(digits + last for last in "0123456789" if _luhn(digits + last))
        self.shaped += [*some, card]
        return (
            f"{before} for {some[0]}@example.com, card {card}, password={some[1]}, "
            f"Bearer {some[2]} at https://u:{some[3]}@example.com/x"
        )


def _luhn(digits: str) -> bool:
    twice = [int(one) * (1 + at % 2) for at, one in enumerate(reversed(digits))]
    return sum(one - 9 * (one > 9) for one in twice) % 10 == 0


def whole_event(c: Canaries) -> dict[str, Any]:
    """Every interface that Sentry's SDKs fill."""
    frames = [
        {"filename": "web.py", "function": "pay", "lineno": 3, "vars": {"a": c("vars.a")}},
        {
            "filename": "billing/tax.py",
            "abs_path": f"https://u:{c('abs_path')}@cdn.example.com/billing/tax.py?t={c('query')}",
            "function": "rate",
            "lineno": 8,
            "in_app": True,
            "pre_context": [c("pre_context")],
            "context_line": c.text("    rate(  #"),
            "post_context": [c("post_context")],
            "vars": {"country": c("vars.country"), "deep": {"x": [c("vars.deep")]}},
        },
    ]
    return {
        "event_id": secrets.token_hex(16),
        "platform": "python",
        "environment": "production",
        "release": "shop@1.2.3",
        "message": c.text(),
        "logentry": {"formatted": c.text(), "params": [c("params")]},
        "logger": c.text("logger"),
        "transaction": c.text("/pay"),
        "server_name": c.text("web-07"),
        "fingerprint": ["{{ default }}", c.text()],
        "exception": {
            "values": [
                {
                    "type": c.text("KeyError"),
                    "value": c.text(),
                    "mechanism": {"type": "x", "data": {"a": c("mechanism")}, "handled": False},
                    "stacktrace": {"frames": frames, "registers": {"r": c("registers")}},
                }
            ]
        },
        "extra": {"order": {"id": c("extra.order.id")}, "other": c("extra.other")},
        "user": {
            "id": c("user.id"),
            "email": c("user.email"),
            "username": c("user.username"),
            "ip_address": "10.1.2.3",
        },
        "request": {
            "method": "POST",
            "url": f"https://u:{c('url')}@shop.example.com/pay?q={c('url.query')}#{c('url.hash')}",
            "query_string": f"page={c('request.query.page')}&token={c('request.query.token')}",
            "cookies": f"a={c('cookies')}; sessionid={c('cookies.sessionid')}",
            "headers": [
                ["X-Request-Id", c("request.headers.X-Request-Id")],
                ["Authorization", c("request.headers.Authorization")],
            ],
            "data": {"card": c("request.data")},
            "env": {"REMOTE_ADDR": c("request.env")},
        },
        "contexts": {
            "runtime": {"name": c("contexts.runtime.name")},
            "trace": {"trace_id": c("contexts.trace")},
            "custom": {"x": c("contexts.custom")},
        },
        "breadcrumbs": {
            "values": [
                {"message": c("breadcrumbs.0.message"), "data": {"u": c("breadcrumbs.data")}},
                {"message": c("breadcrumbs.1.message")},
            ]
        },
        "tags": {
            "customer": c("tags.customer"),
            "plan": c("tags.plan"),
            "queue": c.text("mail"),
        },
        "modules": {"x": c("modules")},
        "sdk": {"name": c("sdk")},
        "threads": {"values": [{"name": c("threads"), "current": True}]},
        "debug_meta": {"images": [{"code_file": c("debug_meta")}]},
    }


def by_envelope(client: TestClient, event: dict[str, Any]) -> None:
    body = "\n".join(("{}", json.dumps({"type": "event"}), json.dumps(event)))
    assert client.post(ENVELOPE, content=body).status_code == 200


def by_native(client: TestClient, event: dict[str, Any]) -> None:
    assert client.post(NATIVE, json=event).status_code == 202


def in_short(client: TestClient, event: dict[str, Any]) -> None:
    error = event.pop("exception")["values"][0]
    error["frames"] = error.pop("stacktrace")["frames"]
    assert client.post(NATIVE, json={**event, "exceptions": [error]}).status_code == 202


def as_a_traceback(client: TestClient, event: dict[str, Any]) -> None:
    error = event.pop("exception")["values"][0]
    code, said = error["stacktrace"]["frames"][-1]["context_line"], error["value"]
    text = (
        'Traceback (most recent call last):\n  File "billing/tax.py", line 8, in rate\n'
        f"    {code.strip()}\nKeyError: {said}\n"
    )
    assert client.post(NATIVE, json={**event, "traceback": text}).status_code == 202


HOOK_SECRET = "zq-what-signs-the-hooks"
DOORS = (by_envelope, by_native, in_short, as_a_traceback)
UPSTREAM_KEY, SEALING_KEY = "zq-the-upstreams-own-key", "zq-what-seals-the-waiting"


def by_rollbar(client: TestClient, c: Canaries) -> None:
    frame = {"filename": "billing/tax.py", "lineno": 8, "code": c.text(), "locals": {"a": c("l")}}
    frame |= {"argspec": ["a"], "context": {"pre": [c("pre")], "post": [c("post")]}}
    trace = {"frames": [frame], "exception": {"class": c.text("E"), "message": c.text()}}
    about = {"url": f"https://u:{c('url')}@h/p?q={c('query')}", "headers": {"A": c("header")}}
    about |= {"POST": {"a": c("post.a")}, "user_ip": c("ip"), "body": c("body")}
    data = {"body": {"trace": trace, "telemetry": [{"body": c("telemetry")}]}, "request": about}
    data |= {"person": {"id": c("person")}, "custom": {"a": c("custom")}, "client": {"a": c("js")}}
    data |= {"title": c.text(), "context": c.text("/pay"), "server": {"host": c.text("web")}}
    client.post("/api/1/item/", json={"data": data}).raise_for_status()


def by_bugsnag(client: TestClient, c: Canaries) -> None:
    frame = {"file": "billing/tax.py", "lineNumber": 8, "code": {"8": c.text(), "7": c("code")}}
    error = {"errorClass": c.text("E"), "message": c.text(), "stacktrace": [frame]}
    about = {"url": f"https://u:{c('url')}@h/p?q={c('query')}", "headers": {"A": c("header")}}
    event = {"exceptions": [error], "context": c.text("/pay"), "request": about}
    event |= {"user": {"id": c("user")}, "metaData": {"a": {"b": c("metaData")}}}
    event |= {"breadcrumbs": [{"name": c("crumb")}], "session": {"id": c("session")}}
    event |= {"featureFlags": [{"featureFlag": c("flag")}], "device": {"id": c("device")}}
    client.post("/notify", json={"events": [event]}).raise_for_status()


def by_honeybadger(client: TestClient, c: Canaries) -> None:
    frame = {"file": "billing/tax.py", "number": 8, "source": {"8": c.text(), "7": c("code")}}
    error = {
        "class": c.text("E"),
        "message": c.text(),
        "backtrace": [frame],
        "tags": [f"plan:{c('tag')}"],
    }
    about = {"url": f"https://u:{c('url')}@h/p?q={c('query')}", "params": {"a": c("params")}}
    about |= {"session": {"a": c("session")}, "cgi_data": {"A": c("cgi")}, "user": {"id": c("u")}}
    about |= {"context": {"a": c("context")}, "local_variables": {"a": c("locals")}}
    notice = {"error": error, "request": about, "breadcrumbs": {"trail": [{"m": c("crumb")}]}}
    client.post("/v1/notices", json=notice).raise_for_status()


def by_airbrake(client: TestClient, c: Canaries) -> None:
    frame = {"file": "billing/tax.py", "line": 8, "code": {"8": c.text(), "7": c("code")}}
    error = {"type": c.text("E"), "message": c.text(), "backtrace": [frame]}
    held = {name: {"a": c(name)} for name in ("params", "session", "environment")}
    context = {"url": f"https://u:{c('url')}@h/p?q={c('query')}", "user": {"id": c("user")}}
    context |= {"userAgent": c("agent"), "component": c.text("pay"), "hostname": c.text("web")}
    notice = {"errors": [error], "context": context, **held}
    client.post("/api/v3/projects/1/notices", json=notice).raise_for_status()


def by_otlp(client: TestClient, c: Canaries) -> None:
    frame = 'Traceback (most recent call last):\n  File "billing/tax.py", line 8, in rate\n'
    stack = f"{frame}E: {c.text()}"
    thrown = {"exception.type": c.text("E"), "exception.message": c.text()}
    thrown |= {"exception.stacktrace": stack, "user.id": c("user.id"), "enduser.id": c("enduser")}
    thrown |= {"http.request.header.a": c("header"), "db.statement": c("statement")}
    log = a_log(thrown, body={"stringValue": c.text()})
    client.post("/v1/logs", json=logs(log, **{"host.name": c.text("web")})).raise_for_status()
    client.post("/v1/traces", json=traces(a_span(thrown, name=c.text("/pay")))).raise_for_status()


def by_a_webhook(client: TestClient, c: Canaries) -> None:
    event = whole_event(c)
    client.post("/hooks/sentry-legacy", json={"event": event}).raise_for_status()


def by_a_signed_webhook(client: TestClient, c: Canaries) -> None:
    event = whole_event(c) | {"project": 17, "web_url": f"https://h/?q={c('web_url')}"}
    actor = {"id": c("actor"), "name": c("actor.name")}
    body = json.dumps({"action": "created", "data": {"error": event}, "actor": actor}).encode()
    signature = hmac.new(HOOK_SECRET.encode(), body, "sha256").hexdigest()
    about = {"Sentry-Hook-Resource": "error", "Sentry-Hook-Signature": signature}
    client.post("/hooks/sentry", content=body, headers=about).raise_for_status()


CLIENTS = (
    by_rollbar,
    by_bugsnag,
    by_honeybadger,
    by_airbrake,
    by_otlp,
    by_a_webhook,
    by_a_signed_webhook,
)


class Watched:
    """A service, and everything that leaves it."""

    def __init__(self, client: TestClient, folder: Path, posted: list[bytes], log: io.StringIO):
        self.client = client
        self._folder = folder
        self._posted = posted
        self._log = log

    def shown(self) -> dict[str, str]:
        """By where it was found."""
        groups = self.client.get("/api/v1/groups").json()["groups"]
        paths = ["/", "/api/v1/groups", "/api/v1/deliveries", "/api/v1/accounting", "/metrics"]
        paths += [f"{prefix}/groups/{one['id']}" for one in groups for prefix in ("", "/api/v1")]
        return {
            **{path: self.client.get(path).text for path in paths},
            "log": self._log.getvalue(),
            "messages": "\n".join(body.decode() for body in self._posted),
            **{
                file.name: file.read_bytes().decode("latin-1")
                for file in self._folder.glob("pointsman.db*")
            },
        }

    def told(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if not self.client.get("/api/v1/accounting").json()["deliveries"]["pending"]:
                return
            time.sleep(0.01)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    log, posted, opened = io.StringIO(), [], []  # type: ignore[var-annotated]
    handler = logging.StreamHandler(log)
    handler.setFormatter(Line())
    logging.getLogger().addHandler(handler)

    def record(request: httpx.Request) -> httpx.Response:
        posted.append(request.content)
        return httpx.Response(200, text="ok")

    def watched(rules: str, **settings: object) -> Watched:
        (tmp_path / "rules.yaml").write_text(rules)
        house = running(tmp_path, transport=httpx.MockTransport(record), **settings)
        opened.append(house)
        return Watched(house.__enter__(), tmp_path, posted, log)

    yield watched
    for house in opened:
        house.__exit__(None, None, None)
    logging.getLogger().removeHandler(handler)


def found(watched: Watched, canaries: Canaries) -> list[tuple[str, str]]:
    """(where, what) of every canary that is there and should not be."""
    sought = {**canaries.random, **{value: value for value in canaries.shaped}}
    return [
        (where, name)
        for where, text in watched.shown().items()
        for name, value in sought.items()
        if value in text
    ]


@pytest.mark.parametrize("send", DOORS)
def test_by_default_nothing_private_is_found_anywhere(
    send: Callable[[TestClient, dict[str, Any]], None],
    watch: Callable[[str], Watched],
    capfd: pytest.CaptureFixture[str],
) -> None:
    watched, canaries = watch(RULES), Canaries()
    event = whole_event(canaries)
    send(watched.client, json.loads(json.dumps(event)))
    send(watched.client, json.loads(json.dumps(event)))  # a duplicate
    watched.told()
    assert found(watched, canaries) == []
    told = capfd.readouterr().out
    assert "ALERT payments" in told
    assert not [value for value in canaries.shaped if value in told]
    assert "[masked: e-mail], card [masked: card number]" in watched.shown()["messages"]


@pytest.mark.parametrize("send", CLIENTS)
def test_no_other_client_leaves_anything_private(
    send: Callable[[TestClient, Canaries], None],
    watch: Callable[..., Watched],
    capfd: pytest.CaptureFixture[str],
) -> None:
    watched, canaries = watch(RULES, sentry_hook_secret=HOOK_SECRET), Canaries()
    canaries.shaped.append(HOOK_SECRET)
    send(watched.client, canaries)
    watched.told()
    assert found(watched, canaries) == []
    assert not [value for value in canaries.shaped if value in capfd.readouterr().out]
    assert "[masked: e-mail], card [masked: card number]" in watched.shown()["messages"]


def test_what_waits_for_an_upstream_that_is_down_is_sealed(watch: Callable[..., Watched]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    upstream = f"http://{UPSTREAM_KEY}@127.0.0.1:{port}/7"
    watched = watch(RULES, sentry_upstream=upstream, secret_key=SEALING_KEY)
    canaries = Canaries()
    canaries.shaped += [UPSTREAM_KEY, SEALING_KEY]
    by_envelope(watched.client, whole_event(canaries))
    session = "\n".join(("{}", '{"type": "session"}', json.dumps({"did": canaries("did")})))
    assert watched.client.post(ENVELOPE, content=session).status_code == 200
    watched.told()
    wait_for(lambda: "upstream" in watched.client.get("/readyz").text)  # it was tried
    assert "pointsman_upstream_pending 2.0" in watched.client.get("/metrics").text
    assert found(watched, canaries) == []


@pytest.mark.parametrize("send", DOORS)
def test_what_is_visible_is_stored_shown_and_told(
    send: Callable[[TestClient, dict[str, Any]], None], watch: Callable[[str], Watched]
) -> None:
    watched, canaries = watch(RULES + VISIBLE), Canaries()
    send(watched.client, whole_event(canaries))
    watched.told()
    listed = [*SHOWN, "tags.customer"]
    if send is as_a_traceback:
        listed.remove("vars.country")  # a traceback has none
    shown = {name: canaries.random.pop(name) for name in listed}
    group = watched.client.get("/api/v1/groups").json()["groups"][0]["id"]
    everywhere = watched.shown()
    for place in (f"/groups/{group}", f"/api/v1/groups/{group}", "messages"):
        assert [name for name, value in shown.items() if value not in everywhere[place]] == []
    assert found(watched, canaries) == []


def test_what_comes_before_any_rules_is_masked_too(watch: Callable[[str], Watched]) -> None:
    watched, canaries = watch("version: 2\n"), Canaries()
    by_envelope(watched.client, whole_event(canaries))
    by_native(watched.client, whole_event(canaries))
    assert found(watched, canaries) == []


def test_explain_answers_without_what_is_private(watch: Callable[[str], Watched]) -> None:
    watched, canaries = watch(RULES + VISIBLE), Canaries()
    event = whole_event(canaries) | {"tags": {"squad": canaries.text("us")}}
    answer = watched.client.post("/api/v1/explain?why_not=payments", json=event)
    assert answer.json()["owners"] == ["payments"]
    everything = [*canaries.random.values(), *canaries.shaped]
    assert [value for value in everything if value in answer.text] == []


def test_deciding_sees_what_is_masked_afterwards(watch: Callable[[str], Watched]) -> None:
    rules = RULES + 'overrides:\n  - {message: "*@example.com*", owner: vip}\n'
    watched = watch(rules.replace("teams:", "teams:\n  vip: {}"))
    answer = watched.client.post(NATIVE, json={"message": "no mail to ada@example.com"})
    event = answer.json()["events"][0]
    assert event["owner"] == "vip"
    group = watched.client.get(f"/api/v1/groups/{event['group']}").json()
    assert (group["title"], group["event"]["message"]) == ("no mail to [masked: e-mail]",) * 2
