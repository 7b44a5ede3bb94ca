"""What the documentation shows is what happens: its calls are made, its commands are run."""

import json
import re
import shlex
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from typer.testing import CliRunner

from routers.channels import alertmanager, webhook
from routers.channels.log import render
from routers.notification import Links
from service.app import create_app
from service.cli import app as cli
from service.runtime import Runtime
from service.settings import Settings, names_of
from tests.alerts import an_alert
from tests.documents import ROOT, Block, blocks

BASE = "http://127.0.0.1:8000"
INGEST = ROOT / "docs" / "ingest.md"
README = ROOT / "README.md"
# What may differ: the rules file's lines, counts and hash; moments; random ids.
VARYING = re.compile(
    r"""(?<=ownership_rules\.yaml:)\d+ | (?<="line":\ )\d+
    | \d+(?=\ (?:passed|rules,|teams:)) | \d{4}-\d\d-\d\d\ \d\d:\d\d:\d\d\ UTC
    | (?:[0-9a-f-]{23}-)?[0-9a-f]{12}""",
    re.VERBOSE,
)


FILES = """
server/billing/tax.py
server/app.py
server/generated/stubs.py
docs/index.md
"""


def traceback() -> str:
    (block,) = [one for one in blocks("text", pages=[INGEST]) if one.text.startswith("Traceback")]
    return block.text


def calls(text: str) -> Iterator[httpx.Request]:
    """Every `curl …` of a block; one with the placeholder ID is left out."""
    for command in re.split(r"^(?=curl )", text, flags=re.MULTILINE):
        words = shlex.split(command)
        if words[:1] == ["curl"] and "/ID/" not in command:
            yield request_of(words[1:])


def request_of(words: list[str]) -> httpx.Request:
    (url,) = [word for word in words if word.startswith("http")]
    headers = {"Content-Type": "application/x-www-form-urlencoded"}  # as curl says of -d
    body, method = b"", "GET"
    for option, value in pairwise(words):
        if option == "-H":
            headers |= dict([value.split(": ", 1)])
        elif option in ("-d", "--data-binary"):
            method, body = "POST", (traceback() if value == "@traceback.txt" else value).encode()
        elif option == "-X":
            method = value
    return httpx.Request(method, url, headers=headers, content=body)


def fits(shown: Any, got: Any) -> bool:
    """Has an answer the keys that are shown? `…` stands for what is left out."""
    if isinstance(shown, dict) and isinstance(got, dict):
        more = "…" in shown
        named = shown.keys() - {"…"}
        same = named <= got.keys() if more else named == got.keys()
        return same and all(fits(shown[key], got[key]) for key in named)
    if isinstance(shown, list) and isinstance(got, list):
        return not shown or (bool(got) and fits(shown[0], got[0]))
    return type(shown) is type(got) or None in (shown, got)


def plain(text: str) -> str:
    return "\n".join(VARYING.sub("~", line).rstrip() for line in text.strip().splitlines())


def only(info: str, begins: str, page: Path) -> str:
    (block,) = [one for one in blocks(info, pages=[page]) if one.text.startswith(begins)]
    return block.text


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.chdir(ROOT)  # alerts name the rules file as it was given
    settings = Settings(database_url=SecretStr(f"sqlite:///{tmp_path}/pointsman.db"))
    with TestClient(create_app(Runtime(settings, environ={})), base_url=BASE) as client:
        yield client


def send(client: TestClient, request: httpx.Request) -> httpx.Response:
    return client.request(
        request.method, str(request.url), headers=request.headers, content=request.content
    )


def settle(client: TestClient) -> None:
    """Until nothing is queued any more."""
    ends_at = time.monotonic() + 10
    while client.get("/api/v1/accounting").json()["deliveries"]["pending"]:
        assert time.monotonic() < ends_at
        time.sleep(0.01)


def calls_and_answers(page: str) -> Iterator[tuple[httpx.Request, Any]]:
    """Each call, and the JSON that is shown behind it; None where none is."""
    shown = blocks("sh", "json", pages=[ROOT / "docs" / page])
    for block, behind in zip(shown, [*shown[1:], None], strict=True):
        if block.info == "sh":
            answer = json.loads(behind.text) if behind and behind.info == "json" else None
            yield from ((request, answer) for request in calls(block.text))


@pytest.mark.parametrize("block", blocks("sh", pages=[README, INGEST]), ids=str)
def test_every_event_that_is_shown_is_taken(block: Block, client: TestClient) -> None:
    for request in calls(block.text):
        answer = send(client, request)
        assert answer.is_success
        assert client.get("/api/v1/accounting").json()["accepted"] == 1


@pytest.mark.parametrize("block", blocks("json event"), ids=str)
def test_every_event_in_json_is_taken(block: Block, client: TestClient) -> None:
    json.loads(block.text)
    assert client.post("/api/v1/events", content=block.text).status_code == 202


def test_every_call_of_the_api_is_answered_as_shown(client: TestClient) -> None:
    send(client, next(calls(only("sh", "curl", README))))
    settle(client)
    made = [*calls_and_answers("api.md"), *calls_and_answers("ingest.md")]
    assert len(made) > 15
    for request, shown in made:
        answer = send(client, request)
        assert answer.is_success, request.url
        assert shown is None or fits(shown, answer.json()), request.url


def test_the_silence_that_is_shown_is_made_listed_and_ended(client: TestClient) -> None:
    make, shown, ask, listed, end = blocks(
        "sh silence", "json silence", pages=[ROOT / "docs/api.md"]
    )
    in_two_hours = (datetime.now(UTC) + timedelta(hours=2)).strftime("%FT%TZ")
    text, dates = re.subn(r"'\$\(date .*?\)'", in_two_hours, make.text)
    answer = send(client, next(calls(text)))
    assert dates == 1
    assert fits(json.loads(shown.text), answer.json())
    made = answer.json()["silenceID"]
    assert fits(json.loads(listed.text), send(client, next(calls(ask.text))).json())
    gone = next(calls(end.text.replace(json.loads(shown.text)["silenceID"], made)))
    assert send(client, gone).json()["status"] == {"state": "expired"}


def test_an_answer_of_another_shape_is_seen() -> None:
    assert fits({"a": [{"b": 1, "…": 0}]}, {"a": [{"b": 2, "c": 3}]})
    assert not fits({"a": 1}, {"a": 1, "b": 2})
    assert not fits({"a": {"b": 1}}, {"a": {"c": 1}})
    assert not fits({"a": "1"}, {"a": 1})


def test_the_readme_shows_the_alert_that_its_call_gives(
    client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    send(client, next(calls(only("sh", "curl", README))))
    settle(client)
    assert plain(capsys.readouterr().out) == plain(only("text", "ALERT", README))


def test_the_decision_that_is_shown_is_made(client: TestClient) -> None:
    (shown,) = blocks("json decision")
    text = {"Content-Type": "text/plain"}
    made = client.post("/api/v1/explain", content=traceback(), headers=text).json()
    assert made.pop("frames")  # explain adds every frame to the decision,
    assert made.pop("grouping")  # and the group
    assert plain(json.dumps(made)) == plain(json.dumps(json.loads(shown.text)))


def test_the_console_shows_an_alert_as_channels_md_has_it() -> None:
    alert = an_alert(id="0199a0a4-7c1e-7c3f-9d9b-2f6f5f6b7a10")
    assert render(alert).strip() == only("text", "ALERT", ROOT / "docs/channels.md").strip()


def test_the_webhook_posts_what_is_shown() -> None:
    (shown,) = blocks("json webhook")
    links = Links(runbook="https://wiki.example.com/invoicing")
    assert fits(json.loads(shown.text), webhook.payload(an_alert(links=links)))


def test_alertmanager_is_told_what_is_shown() -> None:
    (shown,) = blocks("json alertmanager")
    (told,) = alertmanager.payload(an_alert(), timedelta(hours=1))
    said, annotations = json.loads(shown.text), told.pop("annotations")
    some = said.pop("annotations")
    assert said == told
    assert some.items() <= {**annotations, "…": "…"}.items()


def test_the_shown_verification_accepts_what_the_webhook_signs() -> None:
    (code,) = blocks("python verify")
    names: dict[str, Any] = {}
    exec(code.text, names)  # noqa: S102 it is ours
    secret = "whsec_cG9pbnRzbWFu"
    key = webhook.key(SecretStr(secret))
    alert = an_alert(sent_at=datetime.now(UTC))
    headers = {"webhook-id": alert.id, "webhook-timestamp": webhook.timestamp(alert)}
    headers["webhook-signature"] = webhook.signature(alert, b"{}", key)
    names["verify"](secret, headers, b"{}")
    with pytest.raises(ValueError, match="not signed"):
        names["verify"](secret, headers, b"{} ")


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_every_command_prints_what_is_shown(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, _, shown = block.text.removeprefix("$ pointsman ").partition("\n")
    (tmp_path / "ownership_rules.yaml").write_text((ROOT / "ownership_rules.yaml").read_text())
    (tmp_path / "broken.yaml").write_text(blocks("yaml broken")[0].text)
    for name in ("shadowed", "ordered", "reviewed"):
        (tmp_path / f"{name}.yaml").write_text(blocks(f"yaml {name}")[0].text)
    (tmp_path / "alertmanager.yml").write_text(blocks("yaml alertmanager")[0].text)
    (tmp_path / "CODEOWNERS").write_text(blocks("codeowners")[0].text)
    (tmp_path / "ownership.txt").write_text(blocks("ownership")[0].text)
    (tmp_path / "files.txt").write_text(FILES)
    (tmp_path / "traceback.txt").write_text(traceback())
    monkeypatch.chdir(tmp_path)
    for name in [name for field in Settings.model_fields for name in names_of(field)]:
        monkeypatch.delenv(name, raising=False)
    words, _, _ = command.partition(" < ")
    ran = CliRunner().invoke(cli, shlex.split(words), input=traceback())
    assert plain(ran.stdout + ran.stderr) == plain(shown)
