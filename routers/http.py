"""Posting to a destination: what it answered, as the one table of outcomes that all channels share.

    2xx                      the answer, at most ANSWER_LIMIT of it
    3xx                      PermanentError `redirect`: only the first address was ever checked
    408 425 429              TemporaryError, and the destination is to be left in peace
    400 413 415 422          RefusedError: short plain text may pass
    other 4xx                PermanentError: the destination is gone, or the key is wrong
    5xx, no answer           TemporaryError

URLs, headers and bodies hold secrets: no error text does. Every word of an answer that echoes
what was sent is masked before the answer is quoted.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Annotated, Any

import httpcore
import httpx
import msgspec
from pydantic import AfterValidator, SecretStr

from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from routers.network import SEND_LIMIT, GuardedBackend, Resolve, lookup

STEP_SECONDS = 5.0  # to connect, and for each read and write; SEND_LIMIT bounds their sum
ANSWER_LIMIT = 65_536  # bytes
QUOTE_LIMIT = 80  # characters of an answer in an error text
RETRY_AFTER_MIN = timedelta(seconds=1)
RETRY_AFTER_MAX = timedelta(hours=1)

CODES = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    410: "gone",
    413: "too_large",
    415: "malformed",
    422: "malformed",
    425: "too_early",
    429: "rate_limited",
}
PAUSING = {408, 425, 429}
REFUSING = {400, 413, 415, 422}

LOST = (
    httpx.TransportError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
)


def _http_url(value: SecretStr) -> SecretStr:
    try:
        url = httpx.URL(value.get_secret_value())
    except httpx.InvalidURL:
        raise ValueError("is not a URL") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("is not an http:// or https:// URL")
    return value


# A URL to post to. It is a secret as a whole: most vendors put the token into the path.
Destination = Annotated[SecretStr, AfterValidator(_http_url)]


def _token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value().strip()  # a key that is pasted brings its line end along
    if not re.fullmatch(r"[!-~]+", token):
        raise ValueError("is not a key: letters, digits and signs without blanks")
    return SecretStr(token)


# A key for a header or a body.
Token = Annotated[SecretStr, AfterValidator(_token)]


class Client(httpx.Client):
    """Knows its guard, for channels that speak something else than HTTP."""

    def __init__(self, guard: GuardedBackend, **settings: Any) -> None:
        self.guard = guard
        super().__init__(transport=_Transport(guard), **settings)


def guard_of(client: httpx.Client) -> GuardedBackend:
    """Of a client that is not ours: one that lets nothing private pass."""
    return client.guard if isinstance(client, Client) else GuardedBackend(allow_private=False)


def make_client(
    *, allow_private: bool, limit: timedelta = SEND_LIMIT, resolve: Resolve = lookup
) -> httpx.Client:
    """The client for every send: no redirects, no proxies, no cookies, only public addresses.

    It may be shared by threads. SSL_CERT_FILE and SSL_CERT_DIR are heeded.
    """
    # httpx logs every URL at INFO, httpcore every header at DEBUG
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return Client(
        GuardedBackend(allow_private=allow_private, limit=limit, resolve=resolve),
        timeout=STEP_SECONDS,
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={
            "User-Agent": "pointsman",
            "Accept-Encoding": "identity",
            "Connection": "close",
        },
    )


def post_json(
    client: httpx.Client,
    url: str,
    payload: object,
    *,
    now: datetime,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Return the 2xx answer. Raises DeliveryError for all else.

    payload: bytes are sent as they are (they may be signed), anything else as JSON.
    now: what a Retry-After date is measured from.
    """
    body = payload if isinstance(payload, bytes) else encode(payload)
    sent_headers = {"Content-Type": "application/json", **(headers or {})}
    return _exchange(client, "POST", url, body, sent_headers, now)


def ping(client: httpx.Client, url: str, *, now: datetime) -> None:
    """GET; what a 2xx answers is not read. Raises DeliveryError for all else."""
    _exchange(client, "GET", url, b"", {}, now)


def fields(answer: httpx.Response) -> dict[str, Any]:
    """Of an answer in JSON; none where it is anything but an object."""
    try:
        said = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def encode(payload: object) -> bytes:
    """As JSON in UTF-8. A lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    text = json.dumps(msgspec.to_builtins(payload), ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")


def quote(text: str, *, sent: str) -> str:
    """The first words of an answer, on one line, with every echo of what was sent masked."""
    known = sent.lower()
    start = "".join(char if char.isprintable() else " " for char in text[: 10 * QUOTE_LIMIT])
    masked = re.sub(
        r"""[^\s"'<>(){}\[\],;:/?&=]{6,}""",
        lambda word: "***" if word[0].lower() in known else word[0],
        start,
    )
    return " ".join(masked.split())[:QUOTE_LIMIT]


def failure(status: int, message: str, retry_after: timedelta | None = None) -> DeliveryError:
    """What a status that is no 2xx means."""
    if status in PAUSING or status >= 500:
        code = CODES.get(status, "server_error")
        return TemporaryError(code, message, retry_after=retry_after, pause=status in PAUSING)
    if status in REFUSING:
        return RefusedError(CODES[status], message)
    if status < 400:
        return PermanentError("redirect", f"answered {status}; redirects are not followed")
    return PermanentError(CODES.get(status, "rejected"), message)


class _Transport(httpx.BaseTransport):
    """httpx's own takes no network backend. No connection is kept: each has one deadline."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=None,
            max_keepalive_connections=0,
            network_backend=backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status,
            # nobody asked for a packed answer, so it is not unpacked: it may be a bomb
            headers=[pair for pair in answer.headers if pair[0].lower() != b"content-encoding"],
            stream=_Body(answer),
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


def _exchange(
    client: httpx.Client,
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
) -> httpx.Response:
    try:
        with client.stream(
            method, url, content=body or None, headers=headers, follow_redirects=False
        ) as answer:
            text = _bounded(answer)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol):
        raise PermanentError("invalid_url", "the destination is not an HTTP URL") from None
    except (httpx.TimeoutException, httpcore.TimeoutException):
        raise TemporaryError("timeout", "no whole answer in time") from None
    except LOST:
        raise TemporaryError("connection_lost", "the connection broke before an answer") from None
    if answer.is_success:
        kept = {"Content-Type": answer.headers.get("Content-Type", "")}
        return httpx.Response(answer.status_code, headers=kept, content=text)
    # the headers as they went out: one is made of a name and a password in the URL
    sent = " ".join((url, *answer.request.headers.values(), body.decode(errors="replace")))
    raise _failure(answer, text, sent, now)


def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    try:
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) >= ANSWER_LIMIT:
                break
    except LOST:
        if answer.is_success:  # a "no" is known from its status
            raise
    return bytes(body[:ANSWER_LIMIT])


def _failure(answer: httpx.Response, body: bytes, sent: str, now: datetime) -> DeliveryError:
    said = quote(body.decode(errors="replace"), sent=sent)
    message = f"answered {answer.status_code}: {said}" if said else f"answered {answer.status_code}"
    # Discord and Slack say it in the body too, and a proxy may drop the header
    in_body = fields(httpx.Response(answer.status_code, content=body)).get("retry_after", "")
    asked = answer.headers.get("Retry-After") or str(in_body)
    return failure(answer.status_code, message, _retry_after(asked, now))


def _retry_after(value: str, now: datetime) -> timedelta | None:
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value.strip()):
        asked = timedelta(seconds=min(float(value), RETRY_AFTER_MAX.total_seconds()))
    else:
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        asked = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return max(RETRY_AFTER_MIN, min(asked, RETRY_AFTER_MAX))
