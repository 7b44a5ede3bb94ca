"""Logs on stderr, one line each: the constant message, then `key=value` of what it is about.

Or one JSON object each. Whatever an error quotes is masked like any free text (service/scrub.py).
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint

from service.masking import SECRET
from service.scrub import is_secret, scrub
from service.settings import Settings, SettingsError

REQUEST: ContextVar[str] = ContextVar("request", default="")  # its id; "": outside of any
_STANDARD = set(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


class Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = f"{self.formatTime(record)} {record.levelname.lower()} {record.getMessage()}"
        line = said + "".join(f" {key}={_word(value)}" for key, value in _about(record).items())
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return scrub(line + trace)


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "logger": record.name,
            **_about(record),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(_scrubbed(line), default=_said, ensure_ascii=False)


FORMATS = {"text": Line, "json": JsonLine}


def configure_logs(level: str, form: str = "text") -> None:
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(FORMATS[form]())
    logging.basicConfig(level=level.upper(), handlers=[stream], force=True)
    for name in ("httpx", "httpcore", "alembic", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)  # URLs are secrets, access lines noise


def report_own_errors(settings: Settings, transport: Transport | None = None) -> None:
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
        before_send=_masked,
        max_breadcrumbs=0,
        include_source_context=False,
        include_local_variables=False,  # they hold secrets
        max_request_body_size="never",
        default_integrations=False,
        integrations=[LoggingIntegration(level=None, event_level=logging.ERROR)],
        transport=transport,
    )


def _masked(event: Event, _hint: Hint) -> Event:
    """Every text of it, as of any event: an error's message may quote what was sent."""
    masked: Event = _scrubbed(event)
    return masked


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {
            key: SECRET if isinstance(key, str) and is_secret(key) else _scrubbed(one)
            for key, one in value.items()
        }
    return [_scrubbed(one) for one in value] if isinstance(value, list | tuple) else value


def _about(record: logging.LogRecord) -> dict[str, Any]:
    about = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    request = REQUEST.get()
    return {"request_id": request, **about} if request else about


def _said(value: Any) -> str:
    return scrub(str(value))


def _word(value: Any) -> str:
    text = str(value)
    if not text or any(char.isspace() or not char.isprintable() for char in text):
        return repr(text)
    return text
