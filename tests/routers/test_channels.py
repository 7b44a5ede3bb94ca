"""The contract of every channel: a new one is in CHANNELS, and inherits it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from pydantic import ValidationError

from routers.channels import CHANNELS
from routers.channels.base import Channel, Receipt, examples
from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from routers.notification import Thread
from tests.alerts import NOW, OWNERSHIP, an_alert, crowd
from tests.routers.mail import a_client, a_mail_server
from tests.routers.services import a_service

# Each form that a channel is configured in, by its kind; the second is "slack 2".
FORMS = {
    kind if number == 1 else f"{kind} {number}": yaml.safe_load(text)[kind]
    for kind, model in CHANNELS.items()
    for number, text in enumerate(examples(model), 1)
}
POSTING = sorted(FORMS.keys() - {"log", "email", "apprise"})
OUTSIDE = sorted(FORMS.keys() - {"log"})
HUGE = "KeyError: " + "x" * 200_000
TS = "1503435956.000247"
# What a channel hears when its alert is taken, and makes of it. All others: "ok", and nothing.
ACCEPTED: dict[str, tuple[dict[str, object], Receipt]] = {
    "slack 2": (
        {"json": {"ok": True, "channel": "C0123456789", "ts": TS}},
        Receipt(TS, thread=Thread(channel="C0123456789", ts=TS, updated_at=NOW)),
    ),
    "discord": ({"json": {"id": "77"}}, Receipt("77")),
    "pagerduty": ({"json": {"status": "success", "dedup_key": "k"}}, Receipt("k")),
    "opsgenie": ({"json": {"requestId": "r"}}, Receipt("r")),
    "incident_io": ({"json": {"status": "success", "deduplication_key": "k"}}, Receipt("k")),
}


def kind(name: str) -> type[Channel]:
    return CHANNELS[name.split()[0]]


def built(name: str) -> Channel:
    return kind(name)(**FORMS[name])


def secrets(name: str) -> list[str]:
    """What a channel was given: whole, and the path, query or password that holds the token."""
    known = {"from", "to", "channel"}
    settings = [value for key, value in FORMS[name].items() if key not in known]
    texts = [text for one in settings for text in (one if isinstance(one, list) else [one])]
    urls = [httpx.URL(text) for text in texts if "://" in text]
    parts = [part for url in urls for part in (url.path, url.password, *url.params.values())]
    return [*texts, *(part for part in parts if part.strip("/"))]


@contextmanager
def a_destination(name: str) -> Iterator[tuple[Channel, httpx.Client, list[object]]]:
    """A channel, the client for it, and what was taken, which is everything."""
    taken: list[object] = []
    if name == "email":
        with a_mail_server(taken=taken) as server, a_client() as client:
            yield server.channel(), client, taken
        return

    if name == "apprise":
        with a_service(taken=taken) as service, a_client() as client:
            yield service.channel(), client, taken
        return

    def take(request: httpx.Request) -> httpx.Response:
        taken.append((request.content, request.headers))
        return accepted(name)[0](request)

    with httpx.Client(transport=httpx.MockTransport(take)) as client:
        yield built(name), client, taken


def send(name: str, handler: Callable[[httpx.Request], httpx.Response]) -> Receipt:
    with httpx.Client(transport=httpx.MockTransport(handler)) as client:
        return built(name).send(an_alert(), client)


def answering(status: int, **answer: object) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, **answer)  # type: ignore[arg-type]


def accepted(name: str) -> tuple[Callable[[httpx.Request], httpx.Response], Receipt]:
    answer, receipt = ACCEPTED.get(name, ({"text": "ok"}, Receipt()))
    return answering(200, **answer), receipt


@pytest.mark.parametrize("name", CHANNELS)
def test_the_examples_in_the_docstring_name_the_channel(name: str) -> None:
    assert {tuple(yaml.safe_load(text)) for text in examples(CHANNELS[name])} == {(name,)}


@pytest.mark.parametrize("name", FORMS)
def test_an_example_in_the_docstring_builds_the_channel(name: str) -> None:
    assert isinstance(built(name), kind(name))


@pytest.mark.parametrize("name", FORMS)
def test_an_unknown_setting_is_refused_without_quoting_it(name: str) -> None:
    settings = FORMS[name] | {"tokne": "hush-hush"}
    with pytest.raises(ValidationError, match="tokne") as raised:
        kind(name)(**settings)
    assert "hush-hush" not in str(raised.value)


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_repr_holds_a_secret(name: str) -> None:
    channel = built(name)
    shown = f"{channel!r} {channel} {channel.model_dump()} {channel.model_dump_json()}"
    assert [secret for secret in secrets(name) if secret in shown] == []


@pytest.mark.parametrize("name", POSTING)
def test_what_is_told_is_taken(name: str) -> None:
    handler, receipt = accepted(name)
    assert send(name, handler) == receipt


@pytest.mark.parametrize("name", POSTING)
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, PermanentError),
        (400, RefusedError),
        (401, PermanentError),
        (403, PermanentError),
        (404, PermanentError),
        (408, TemporaryError),
        (410, PermanentError),
        (413, RefusedError),
        (415, RefusedError),
        (422, RefusedError),
        (425, TemporaryError),
        (429, TemporaryError),
        (500, TemporaryError),
        (502, TemporaryError),
        (503, TemporaryError),
        (504, TemporaryError),
    ],
)
def test_a_failing_status_is_judged_alike(
    name: str, status: int, error: type[DeliveryError]
) -> None:
    with pytest.raises(DeliveryError) as raised:
        send(name, answering(status, text="no"))
    assert type(raised.value) is error
    rests = isinstance(raised.value, TemporaryError) and raised.value.pause
    assert rests is (status in (408, 425, 429))


@pytest.mark.parametrize("name", POSTING)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("30", 30), ("7200", 3600), ("0", 1), ("Sun, 01 Mar 2026 11:00:00 GMT", 1)],
)
def test_retry_after_is_heard(name: str, status: int, asked: str, seconds: int) -> None:
    with pytest.raises(TemporaryError) as raised:
        send(name, answering(status, headers={"Retry-After": asked}))
    assert raised.value.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize("name", POSTING)
@pytest.mark.parametrize(
    "error", [httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ConnectError, httpx.ReadError]
)
def test_no_answer_is_worth_another_attempt(name: str, error: type[httpx.TransportError]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error(f"no answer from {request.url}")

    with pytest.raises(TemporaryError) as raised:
        send(name, fail)
    assert [secret for secret in secrets(name) if secret in str(raised.value)] == []


@pytest.mark.parametrize("name", POSTING)
@pytest.mark.parametrize("status", [200, 302, 400, 404, 503])
def test_an_answer_that_echoes_everything_tells_no_secret(name: str, status: int) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        said = f"{request.url} {request.url.path} {request.headers} {request.content!r}"
        return httpx.Response(status, text=said)

    try:
        send(name, echo)
    except DeliveryError as error:
        shown = f"{error} {error!r} {error.code}"
        assert [secret for secret in secrets(name) if secret in shown] == []


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    "odd", ["", "\0", "\ud800", "👩\u200d🚒" * 4_000, "\x1b[2J", "&<>|`*_\n" * 9, HUGE]
)
def test_any_text_can_be_told(name: str, plain: bool, odd: str) -> None:
    alert = an_alert(
        title=odd, team=odd, culprit=odd, why=odd, permalink=odd, release=odd, plain=plain
    )
    with a_destination(name) as (channel, client, taken):
        channel.send(alert, client)
    assert len(taken) == (name != "log")


@pytest.mark.parametrize("name", FORMS)
def test_what_is_no_longer_stored_can_be_told(name: str) -> None:
    alert = an_alert(event=None, ownership={}, team=None, environment=None, release=None)
    with a_destination(name) as (channel, client, taken):
        channel.send(alert, client)
    assert len(taken) == (name != "log")


@pytest.mark.parametrize("name", OUTSIDE)
def test_the_same_alert_is_the_same_request(name: str) -> None:
    with a_destination(name) as (channel, client, taken):
        for _ in range(2):
            channel.send(an_alert(), client)
    assert taken[0] == taken[1]


def test_the_builder_is_told_at_its_own_time() -> None:
    assert (an_alert().sent_at, an_alert().ownership) == (NOW, OWNERSHIP)


MERGING = [name for name in FORMS if kind(name).pace and kind(name).merges]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", MERGING)
def test_one_message_tells_how_many_it_stands_for(name: str, plain: bool) -> None:
    with a_destination(name) as (channel, client, taken):
        channel.send(an_alert(others=crowd("KeyError"), plain=plain), client)
    assert "401 alerts" in str(taken[0])


@pytest.mark.parametrize("name", [name for name, kind in CHANNELS.items() if kind.pace])
def test_a_pace_is_documented(name: str) -> None:
    pace = CHANNELS[name].pace
    page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text(encoding="utf-8")
    assert pace
    assert f"| `{name}` | {pace.per_second:g} | {pace.burst} |" in page
