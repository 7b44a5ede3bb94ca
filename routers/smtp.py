"""Handing mail to a server, as outcomes that all channels share.

Spec: RFC 5321; TLS: RFC 3207 and 8314; AUTH: RFC 4954. The reply codes:

    2xx                      taken; after DATA only the final reply says so
    4xx                      TemporaryError `deferred`; 421 leaves the whole server in peace
    5xx                      PermanentError: `unauthorized` at AUTH, else `rejected`
    no whole reply           TemporaryError
    no reply of SMTP's       PermanentError `unexpected_answer`

The connection is the guard's: only to an address that was checked, all within one deadline.
"""

import base64
import io
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpcore
import httpx
import msgspec
from pydantic import SecretStr

from routers.errors import DeliveryError, PermanentError, TemporaryError
from routers.http import STEP_SECONDS, quote
from routers.network import GuardedBackend

REPLIES_LIMIT = 262_144  # bytes of one connection; a reply may go on for ever
UNAUTHORIZED = {530, 534, 535, 538}

_NO_URL = "is not smtp://user:password@host:port; in a password, # is written %23 and / %2F"
_NOT_OFFERED = "the server offers no STARTTLS, or no way to log in: CRAM-MD5, PLAIN or LOGIN"
_NO_MAIL_SERVER = "did not answer as a mail server does"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    url: SecretStr
    host: str
    port: int
    user: str  # "": nobody logs in
    password: SecretStr
    tls: bool  # from the first byte
    starttls: bool


def server_of(url: str, *, starttls: bool) -> Server:
    """smtp://user:password@host:587; smtps:// is TLS from the start, on 465. Raises ValueError."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError(_NO_URL) from None
    tls, user, password = parsed.scheme == "smtps", parsed.username, parsed.password
    port = parsed.port or (465 if tls else 587)
    has_more = parsed.path not in {"", "/"} or parsed.query or parsed.fragment
    if parsed.scheme not in {"smtp", "smtps"} or not parsed.host or has_more or port > 65_535:
        raise ValueError(_NO_URL)
    if not (user + password).isascii():
        raise ValueError("has a user or password that is not ASCII")
    if bool(user) != bool(password):
        raise ValueError("has a user without a password, or a password without a user")
    return Server(
        url=SecretStr(url),
        host=parsed.raw_host.decode("ascii"),
        port=port,
        user=user,
        password=SecretStr(password),
        tls=tls,
        starttls=starttls and not tls,
    )


def hand_over(
    message: bytes,
    server: Server,
    guard: GuardedBackend,
    *,
    sender: str,
    recipients: Sequence[str],  # each once
) -> dict[str, DeliveryError]:
    """Who was not told, and why. One transaction each: one bad address fails none of the others."""
    failed: dict[str, DeliveryError] = {}
    ends_at = guard.deadline()
    session = None
    for at, recipient in enumerate(recipients):
        try:
            session = session or _opened(server, guard, sender, ends_at)
        except DeliveryError as error:  # asked once: wrong passwords by the dozen lock an account
            return failed | dict.fromkeys(recipients[at:], error)
        try:
            with _judged(server):
                session.sendmail(sender, recipient, message)
        except DeliveryError as error:
            failed[recipient] = error
            session.close()  # nobody knows what state it is in
            session = None
    if session is not None:
        with suppress(smtplib.SMTPException, DeliveryError):  # everything was said
            session.quit()
        session.close()
    return failed


def _opened(server: Server, guard: GuardedBackend, sender: str, ends_at: float) -> smtplib.SMTP:
    session = _Session(server, guard, ends_at, local_hostname=sender.rpartition("@")[2])
    try:
        with _judged(server):
            session.begin()
    except DeliveryError:
        session.close()
        raise
    return session


class _Session(smtplib.SMTP):
    def __init__(
        self, server: Server, guard: GuardedBackend, ends_at: float, *, local_hostname: str
    ) -> None:
        super().__init__(local_hostname=local_hostname)  # else it asks the DNS for its own
        self._server = server
        self._guard = guard
        self._ends_at = ends_at

    def begin(self) -> None:
        server = self._server
        code, reply = self.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, reply)
        if server.starttls:
            self.starttls(context=_Handshake(server.host))  # type: ignore[call-overload]
        if server.user:
            self.login(server.user, server.password.get_secret_value())

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        stream = self._guard.connect(host, port, ends_at=self._ends_at, timeout=STEP_SECONDS)
        plain = _Socket(stream)
        return _Handshake(host).wrap_socket(plain) if self._server.tls else plain


class _Socket:
    """A guarded stream, as smtplib uses a socket."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self.stream = stream

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Replies(self.stream))

    def sendall(self, data: bytes) -> None:
        with _as_os_error():
            self.stream.write(data, STEP_SECONDS)

    def close(self) -> None:
        self.stream.close()


class _Replies(io.RawIOBase):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._left = REPLIES_LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _as_os_error():
            said = self._stream.read(len(buffer), STEP_SECONDS)
        self._left -= len(said)
        if self._left < 0:
            raise PermanentError("unexpected_answer", "says more than a mail server has to")
        buffer[: len(said)] = said
        return len(said)


class _Handshake:
    """Where smtplib expects an ssl.SSLContext. The certificate must be the host's."""

    def __init__(self, host: str) -> None:
        self._host = host

    def wrap_socket(self, plain: _Socket, server_hostname: str = "") -> _Socket:
        context = httpx.create_ssl_context()
        return _Socket(plain.stream.start_tls(context, self._host, STEP_SECONDS))


@contextmanager
def _as_os_error() -> Iterator[None]:
    """smtplib knows what to do with those."""
    try:
        yield
    except httpcore.TimeoutException:
        raise TimeoutError from None
    except httpcore.NetworkError:
        raise ConnectionError from None


@contextmanager
def _judged(server: Server) -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPServerDisconnected as error:
        if isinstance(error.__context__, TimeoutError):
            raise TemporaryError("timeout", "no whole answer in time") from None
        raise TemporaryError("connection_lost", "the connection broke before an answer") from None
    except smtplib.SMTPRecipientsRefused as error:
        ((code, reply),) = error.recipients.values()
        raise _failure(code, reply, server) from None
    except smtplib.SMTPResponseException as error:
        raise _failure(error.smtp_code, error.smtp_error, server) from None
    except smtplib.SMTPException:
        raise PermanentError("not_offered", _NOT_OFFERED) from None
    except ValueError:  # a challenge that is no base64
        raise PermanentError("unexpected_answer", _NO_MAIL_SERVER) from None


def _failure(code: int, reply: bytes | str, server: Server) -> DeliveryError:
    said = _quoted(reply if isinstance(reply, str) else reply.decode(errors="replace"), server)
    message = f"answered {code}: {said}" if said else f"answered {code}"
    if 400 <= code < 500:
        return TemporaryError("deferred", message, pause=code == 421)
    if 500 <= code < 600:
        return PermanentError("unauthorized" if code in UNAUTHORIZED else "rejected", message)
    return PermanentError("unexpected_answer", _NO_MAIL_SERVER)


def _quoted(reply: str, server: Server) -> str:
    url, user = server.url.get_secret_value(), server.user
    password = server.password.get_secret_value()
    for secret in (url, f"\0{user}\0{password}", password, user, server.host):
        if secret.strip("\0"):
            reply = reply.replace(base64.b64encode(secret.encode()).decode(), "***")
            reply = reply.replace(secret, "***")
    return quote(reply, sent=url)
