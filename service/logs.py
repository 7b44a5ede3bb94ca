"""Logs on stderr, one line each: the constant message, then `key=value` of what it is about.

Whatever an error quotes is masked like any free text (service/scrub.py).
"""

import logging
import sys
from typing import Any
from urllib.parse import urlsplit

import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration

from service.scrub import scrub
from service.settings import Settings, SettingsError

_STANDARD = set(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


class Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = f"{self.formatTime(record)} {record.levelname.lower()} {record.getMessage()}"
        about = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        line = said + "".join(f" {key}={_word(value)}" for key, value in about.items())
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return scrub(line + trace)


def configure_logs(level: str) -> None:
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(Line())
    logging.basicConfig(level=level.upper(), handlers=[stream], force=True)
    for name in ("httpx", "httpcore", "alembic", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)  # URLs are secrets, access lines noise


def report_own_errors(settings: Settings) -> None:
    """To SENTRY_DSN, if set. Raises SettingsError where that is this very service."""
    dsn = settings.sentry_dsn.get_secret_value()
    if not dsn:
        return
    there = urlsplit(dsn)
    here = {urlsplit(settings.base_url).netloc}
    here |= {
        f"{host}:{settings.port}" for host in (settings.host, "localhost", "127.0.0.1", "[::1]")
    }
    if there.netloc.rpartition("@")[2] in here:
        raise SettingsError(["SENTRY_DSN: points at this service: it cannot report to itself"])
    sentry_sdk.init(
        dsn,
        include_local_variables=False,  # they hold secrets
        max_request_body_size="never",
        default_integrations=False,
        integrations=[LoggingIntegration(event_level=logging.ERROR)],
    )


def _word(value: Any) -> str:
    text = str(value)
    if not text or any(char.isspace() or not char.isprintable() for char in text):
        return repr(text)
    return text
