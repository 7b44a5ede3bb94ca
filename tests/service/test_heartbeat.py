"""The dead-man's switch beats while the service is well, and only then."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from service.runtime import Runtime
from service.settings import SettingsError
from service.settings_load import load_settings
from tests.service.house import running

SECRET = "b3c1-secret-uuid"
URL = f"https://beats.example/{SECRET}"


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.status = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.heard.append((request.method, str(request.url)))
        return httpx.Response(self.status, text=f"no such check: {request.url}")


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def house(tmp_path: Path, listener: Listener) -> Iterator[Runtime]:
    network = httpx.MockTransport(listener)
    with running(tmp_path, transport=network, heartbeat_url=URL) as client:
        inside: Any = client.app
        yield inside.state.runtime


def beat(house: Runtime) -> None:
    house.heartbeat.look()


def test_a_service_that_is_well_beats(house: Runtime, listener: Listener) -> None:
    beat(house)
    assert listener.heard == [("GET", URL)]


def test_one_that_cannot_commit_does_not(
    house: Runtime, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    house.writer.stop()
    beat(house)
    assert listener.heard == []
    assert "heartbeat_withheld" in caplog.messages


def test_one_that_would_tell_nobody_does_not(house: Runtime, listener: Listener) -> None:
    house.worker.stop()
    beat(house)
    assert listener.heard == []


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_listener_that_says_no_is_told_of_without_its_url(
    house: Runtime, listener: Listener, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    listener.status = status
    beat(house)
    assert "heartbeat_failed" in caplog.messages
    assert SECRET not in str([vars(one) for one in caplog.records if one.name != "httpx"])


def test_a_beat_goes_to_no_private_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path, heartbeat_url="http://127.0.0.1:9/beat") as client:
        inside: Any = client.app
        beat(inside.state.runtime)
    (failed,) = [one for one in caplog.records if one.message == "heartbeat_failed"]
    assert vars(failed)["reason"] == "private_destination"


def test_without_a_url_nobody_is_asked(tmp_path: Path, listener: Listener) -> None:
    network = httpx.MockTransport(listener)
    with running(tmp_path, transport=network, heartbeat_url=SecretStr("")) as client:
        inside: Any = client.app
        beat(inside.state.runtime)
    assert listener.heard == []


@pytest.mark.parametrize(
    "url", ["ftp://beats.example/x", "beats.example", "https:///x", "http://[x"]
)
def test_a_url_that_cannot_be_asked_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="HEARTBEAT_URL") as raised:
        load_settings({"POINTSMAN_HEARTBEAT_URL": url})
    assert url not in str(raised.value)
