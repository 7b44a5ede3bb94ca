"""What Pointsman reports of its own errors, to SENTRY_DSN."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from service.logs import report_own_errors
from tests.service.house import settings


class Recorder(Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope.serialize())


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder()
    dsn = "https://key@sentry.example.com/1"
    report_own_errors(settings(tmp_path, sentry_dsn=dsn), recorder)
    yield recorder
    sentry_sdk.get_client().close()
    sentry_sdk.init()


def test_an_error_of_ours_is_reported_without_what_it_was_about(recorder: Recorder) -> None:
    body = {"user": "canary-in-a-variable"}
    try:
        raise ValueError(f"no account ada@example.com, password=hunter2, {len(body)}")
    except ValueError:
        logging.getLogger("service.worker").warning("canary-in-a-breadcrumb")
        logging.getLogger("service.worker").exception("failed", extra={"token": "canary-token"})
    (sent,) = recorder.sent
    assert b"no account [masked: e-mail], password=[masked: secret]" in sent
    for private in (b"canary", b"hunter2", b"ada@", b"vars"):
        assert private not in sent
