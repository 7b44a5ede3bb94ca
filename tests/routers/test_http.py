from datetime import timedelta

import httpx
import pytest

from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from routers.http import encode, fields, post_json, quote
from tests.alerts import NOW

URL = "https://hooks.test/T0/secret-token"


def failing(answer: httpx.Response, url: str = URL) -> DeliveryError:
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as client,
        pytest.raises(DeliveryError) as raised,
    ):
        post_json(client, url, {"routing_key": "secret-key"}, now=NOW)
    return raised.value


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (301, PermanentError, "redirect"),
        (304, PermanentError, "redirect"),
        (307, PermanentError, "redirect"),
        (400, RefusedError, "malformed"),
        (401, PermanentError, "unauthorized"),
        (402, PermanentError, "rejected"),
        (403, PermanentError, "forbidden"),
        (404, PermanentError, "not_found"),
        (408, TemporaryError, "timeout"),
        (410, PermanentError, "gone"),
        (413, RefusedError, "too_large"),
        (415, RefusedError, "malformed"),
        (418, PermanentError, "rejected"),
        (422, RefusedError, "malformed"),
        (425, TemporaryError, "too_early"),
        (429, TemporaryError, "rate_limited"),
        (500, TemporaryError, "server_error"),
        (502, TemporaryError, "server_error"),
        (503, TemporaryError, "server_error"),
        (504, TemporaryError, "server_error"),
        (599, TemporaryError, "server_error"),
    ],
)
def test_a_status_has_one_outcome(status: int, kind: type[DeliveryError], code: str) -> None:
    error = failing(httpx.Response(status))
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_an_answer(status: int) -> None:
    answer = httpx.Response(status, text="ok")
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as client:
        assert post_json(client, URL, {}, now=NOW).status_code == status


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("0", 1),
        ("30", 30),
        (" 1.5 ", 1.5),
        ("86400", 3600),
        ("9" * 400, 3600),
        ("Sun, 01 Mar 2026 12:00:40 GMT", 40),
        ("Sun, 01 Mar 2026 12:00:40 -0000", 40),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 1),
        ("Sun, 01 Mar 2027 12:00:00 GMT", 3600),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept_within_reason(
    status: int, header: str | None, seconds: float | None
) -> None:
    error = failing(httpx.Response(status, headers={"Retry-After": header} if header else {}))
    assert isinstance(error, TemporaryError)
    assert error.retry_after == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        (None, '{"message": "You are being rate limited.", "retry_after": 1.337}', 1.337),
        ("4", '{"retry_after": 1.337}', 4),
        (None, '{"retry_after": 99999}', 3600),
        (None, '{"retry_after": -2}', None),
        (None, '{"retry_after": 1e300}', None),
        (None, '{"retry_after": {"a": [1]}}', None),
        (None, '{"retry_after": "soon"}', None),
        (None, '{"retry_after": 1e999}', None),
        (None, '{"retry_after": 2', None),
        (None, '{"retry_after": null}', None),
        (None, "\udcff", None),
        (None, '{"a":' + "[" * 60_000, None),
    ],
)
def test_retry_after_may_stand_in_the_body(
    header: str | None, body: str, seconds: float | None
) -> None:
    headers = {"Retry-After": header} if header else {}
    content = body.encode(errors="surrogateescape")
    error = failing(httpx.Response(429, headers=headers, content=content))
    assert isinstance(error, TemporaryError)
    assert error.retry_after == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("status", "pause"), [(408, True), (425, True), (429, True), (500, False), (503, False)]
)
def test_only_a_destination_that_asks_for_quiet_pauses(status: int, pause: bool) -> None:
    error = failing(httpx.Response(status))
    assert isinstance(error, TemporaryError)
    assert error.pause is pause


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ("", ""),
        ("no_service", "no_service"),
        ("Cannot POST /T0/secret-token", "Cannot POST /T0/***"),
        ('{"error": "bad key SECRET-KEY"}', '{"error": "bad key ***"}'),
        ("a\x1b[31m\n\x00b", "a [31m b"),
        ("word " * 100, ("word " * 16)),
        ("x" * 1_000_000, "x" * 80),
    ],
)
def test_an_answer_is_quoted_without_what_was_sent(said: str, quoted: str) -> None:
    assert quote(said, sent=f"{URL} secret-key") == quoted


def test_an_error_says_what_was_answered() -> None:
    assert str(failing(httpx.Response(404, text="no_service"))) == "answered 404: no_service"


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        ({"at": NOW, "who": ("é", None)}, '{"at":"2026-03-01T12:00:00Z","who":["é",null]}'),
        ("\ud800\0", r'"?\u0000"'),
    ],
)
def test_anything_encodes(payload: object, body: str) -> None:
    assert encode(payload) == body.encode()


def test_a_password_in_the_url_is_told_in_no_spelling() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, text=request.headers["Authorization"])

    with (
        httpx.Client(transport=httpx.MockTransport(echo)) as client,
        pytest.raises(RefusedError, match=r"^answered 400: Basic \*\*\*=*$"),
    ):
        post_json(client, "https://pointsman:hush-hush@hooks.test/", {}, now=NOW)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (b'{"status": "success"}', {"status": "success"}),
        (b"[1]", {}),
        (b"", {}),
        (b"<html>", {}),
        (b'{"status": "\xff"}', {}),
        (b'{"a":' + b"[" * 65_000, {}),
    ],
)
def test_an_answer_is_an_object_or_says_nothing(said: bytes, known: dict[str, str]) -> None:
    assert fields(httpx.Response(200, content=said)) == known
