"""Pages from templates. What senders wrote is text here, whatever they wrote.

Jinja escapes every value; before that, characters that hide or reorder text are spelled out. No
page needs a script, and none may run: the policy says so to the browser.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

# Control and bidirectional formatting characters: https://www.unicode.org/reports/tr9/
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'none'; object-src 'none'; frame-ancestors 'none'; "
        "form-action 'self'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def visible(value: Any) -> Any:
    """Text with its hidden characters spelled out; anything else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", value)


def ago(moment: datetime, now: datetime) -> str:
    """ "3 min ago", "in 20 s", "just now"."""
    away = abs(now - moment)
    if away < timedelta(seconds=2):
        return "just now"
    amount = next(
        f"{away // unit} {name}"
        for unit, name in (
            (timedelta(days=1), "d"),
            (timedelta(hours=1), "h"),
            (timedelta(minutes=1), "min"),
            (timedelta(seconds=1), "s"),
        )
        if away >= unit
    )
    return f"{amount} ago" if moment <= now else f"in {amount}"


def utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def counted(number: int) -> str:
    """12,345"""
    return f"{number:,}"


def render(request: Request, template: str, about: dict[str, Any], status: int = 200) -> Response:
    return _TEMPLATES.TemplateResponse(request, template, about, status, headers=_HEADERS)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
    )
    environment.filters.update(ago=ago, utc=utc, counted=counted)
    for name in environment.list_templates():  # compiled now: whoever asks first waits no longer
        environment.get_template(name)
    return environment


_TEMPLATES = Jinja2Templates(env=_environment())
