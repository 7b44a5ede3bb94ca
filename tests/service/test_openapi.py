"""Whatever the OpenAPI document lets anybody send, and whatever it forbids: no 500.

What the doors take is told there as "any JSON", so here it is shaped like what their senders send.
`--hypothesis-profile=prove` asks 25 times as much.
"""

import hmac
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation

from tests.ingest.otlp_requests import THROWN, a_log, a_span, logs, traces
from tests.service.house import running

PROVING = settings.get_current_profile_name() == "prove"
ASKED = settings(
    max_examples=300 if PROVING else 12,  # of each operation, and as many of what it forbids
    derandomize=not PROVING,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LONGEST = 10_000  # characters of a URL: the client refuses to send more
SECRET = "whatever signs the hooks"
ENVELOPE = "application/x-sentry-envelope"
FRAME = {"filename": "shop/tax.py", "function": "rate", "lineno": 8, "in_app": True}
STACK = {"frames": [FRAME]}
THROWN_HERE = {"type": "E", "value": "m", "mechanism": {"handled": True}, "stacktrace": STACK}
EVENT = {"level": "error", "tags": {"a": "b"}, "exception": {"values": [THROWN_HERE]}}
LINE = {"file": "/app/shop/tax.py", "lineNumber": 8, "method": "rate", "code": {"8": "x"}}
SENT: dict[str, Any] = {
    "/api/v1/events": {"project": 7, "exceptions": [{"type": "E", "frames": [{"path": "a.py"}]}]},
    "/api/{project}/envelope/": EVENT,
    "/api/{project}/store/": EVENT,
    "/hooks/sentry": {"action": "triggered", "data": {"event": EVENT | {"project": 17}}},
    "/hooks/sentry-legacy": {"culprit": "f", "message": "m", "event": EVENT},
    "/api/1/item/": {"data": {"body": {"trace": {"frames": [FRAME], "exception": {"class": "E"}}}}},
    "/notify": {"events": [{"exceptions": [{"errorClass": "E", "stacktrace": [LINE]}]}]},
    "/v1/notices/": {"error": {"class": "E", "backtrace": [LINE]}, "server": {"revision": "1"}},
    "/v1/notices/js": {"error": {"class": "E", "backtrace": [LINE]}},
    "/api/v3/projects/{project}/notices": {"errors": [{"type": "E", "backtrace": [LINE]}]},
    "/v1/logs": logs(a_log(THROWN)),
    "/v1/traces": traces(a_span(THROWN)),
}


def shape(sample: object) -> dict[str, Any]:
    """Like the sample. What is unlike it is what the shape forbids, which is asked as well."""
    if isinstance(sample, dict):
        inside = {name: shape(value) for name, value in sample.items()}
        return {"type": "object", "properties": inside, "required": [*inside]}
    if isinstance(sample, list):
        return {"type": "array", "items": shape(sample[0]) if sample else {}, "maxItems": 3}
    return {"anyOf": [{"const": sample}, {"type": ["string", "number", "boolean", "null"]}]}


def operations(document: dict[str, Any]) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    for path, sample in SENT.items():
        content = document["paths"][path]["post"]["requestBody"]["content"]
        content["application/json"] = {"schema": shape(sample)}
        content.pop(ENVELOPE, None)
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        yield found.ok()


def request_of(case: Case) -> dict[str, Any]:
    sent = case.as_transport_kwargs(base_url="http://127.0.0.1:8000")
    if "json" in sent:
        body = json.dumps(sent.pop("json")).encode()
        is_envelope = case.path.endswith("/envelope/")
        sent["data"] = b'{}\n{"type":"event"}\n' + body if is_envelope else body
    body = sent.pop("data", b"")
    body = body.encode(errors="replace") if isinstance(body, str) else body
    if case.path == "/hooks/sentry":
        signed = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
        sent["headers"]["Sentry-Hook-Signature"] = signed
    return {name: sent[name] for name in ("method", "url", "headers", "params") if name in sent} | {
        "content": body
    }


def asked(
    client: TestClient, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each answer's status, and what was sent."""
    answers: list[tuple[int, dict[str, Any]]] = []

    @ASKED
    @given(operation.as_strategy(mode))
    def ask(case: Case) -> None:
        sent = request_of(case)
        assume(len(sent["url"]) + len(str(sent.get("params"))) < LONGEST)
        answers.append((client.request(**sent).status_code, sent))

    with suppress(Unsatisfiable):  # an operation that takes nothing forbids nothing
        ask()
    return iter(answers)


def test_no_operation_answers_with_a_servers_error(tmp_path: Path) -> None:
    settings = {"sentry_hook_secret": SECRET, "rules_hook_secret": SECRET}
    seen: Counter[str] = Counter()
    with running(tmp_path, **settings) as client:
        client.post("/api/v1/events", json={"message": "there is something to list"})
        for operation in operations(client.get("/openapi.json").json()):
            for mode in GenerationMode:
                for status, sent in asked(client, operation, mode):
                    assert status < 500, sent
                    seen[f"{operation.label}: {status // 100}xx"] += 1
        assert client.get("/readyz").is_success
        assert client.get("/api/v1/accounting").json()["unaccounted"] == 0
    doors = [f"POST {path}: 2xx" for path in SENT]
    assert [door for door in doors if not seen[door]] == []
