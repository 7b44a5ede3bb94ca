"""A real mail server on a local socket: TLS, a login, and a verdict on every recipient."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from routers.channels.email import Email
from routers.http import make_client
from tests.routers.peers import a_free_port

HOST = "mail.test"
USER = "pointsman"
PASSWORD = "s3cret"


class MailServer:
    """Takes everything that it was not told to refuse."""

    def __init__(self, taken: list[Any]) -> None:
        self.port = 0
        self.taken = taken  # the mails, as bytes
        self.told: list[str] = []  # the recipient of each
        self.logins = 0
        self.refused: dict[str, str] = {}  # recipient → reply
        self.after_data = "250 taken"  # "hang" and "close" give no reply
        self.login: str | None = None  # the reply to a login; None: it is right or wrong

    def url(self, scheme: str = "smtp", login: str = f"{USER}:{PASSWORD}@") -> str:
        return f"{scheme}://{login}{HOST}:{self.port}"

    def channel(self, **settings: Any) -> Email:
        known = {"smtp": self.url(), "from": "bot@example.com", "to": ["a@example.com"]}
        return Email(**(known | settings))

    async def handle_RCPT(  # noqa: N802 aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.after_data == "hang":
            await asyncio.sleep(5)
        if self.after_data == "close":
            assert server.transport is not None
            server.transport.close()
        if self.after_data.startswith("2"):
            self.taken.append(envelope.original_content)
            self.told += envelope.rcpt_tos
        return self.after_data

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any
    ) -> AuthResult:
        assert isinstance(login, LoginPassword)
        self.logins += 1
        if self.login is not None:
            return AuthResult(success=False, handled=False, message=self.login)
        right = (login.login, login.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


@contextmanager
def a_mail_server(tls: str = "starttls", taken: list[Any] | None = None) -> Iterator[MailServer]:
    """tls: `starttls`, `implicit` or `none`. Its certificate is trusted meanwhile."""
    server = MailServer([] if taken is None else taken)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        certificate = Path(folder, "mail.pem")
        certificate.write_bytes(a_certificate(HOST))
        patch.setenv("SSL_CERT_FILE", str(certificate))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        controller = Controller(
            server,
            hostname="127.0.0.1",
            port=a_free_port(),
            ssl_context=context if tls == "implicit" else None,
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            auth_required=tls == "starttls",
            auth_require_tls=tls == "starttls",
            authenticator=server.authenticate,
        )
        controller.start()
        server.port = controller.port
        try:
            yield server
        finally:
            controller.stop()


def a_client(**settings: Any) -> httpx.Client:
    known: dict[str, Any] = {"allow_private": True, "resolve": lambda _host, _port: ["127.0.0.1"]}
    return make_client(**(known | settings))


def a_certificate(host: str) -> bytes:
    """Key and certificate, signed by itself, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    secret = key.private_bytes(
        form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate.public_bytes(form)
