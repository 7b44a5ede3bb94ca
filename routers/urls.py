"""Addresses that a message may show: whole, public to read, and such as no text can bend.

Spec: https://www.rfc-editor.org/rfc/rfc3986#section-2. Nothing but its characters: no blank, no
quote, no letter that looks like another. A name and a password before the host are no part of an
address that many read.
"""

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, Field

from matchers.errors import did_you_mean

LINK_LIMIT = 400  # characters, after `&` was escaped; a link is whole or not there

_LINK = re.compile(r"https?://[\w.~%:\[\]-]+(?:[/?#][\w.~%:/?#\[\]@!$&'()*+,;=-]*)?", re.ASCII)
_SLOT = re.compile(r"\{(\w+)\}")


def link(text: str | None) -> str:
    """The address, without an `@` that a chat might take for somebody; "" when it is none."""
    if not text or not _LINK.fullmatch(text):
        return ""
    shown = text.replace("@", "%40")
    return shown if len(shown) + 4 * shown.count("&") <= LINK_LIMIT else ""


def _url(value: str) -> str:
    if not link(value):
        raise ValueError("is not an http:// or https:// URL without user and blanks")
    return value


Url = Annotated[str, AfterValidator(_url), Field(examples=["https://wiki.example.com/billing"])]


def check_template(template: str, known: tuple[str, ...], schemes: tuple[str, ...]) -> str:
    """Raises ValueError: it has no such form, asks for an unknown name, or for none."""
    for name in _SLOT.findall(template):
        if name not in known:
            near = did_you_mean(name, known)
            raise ValueError(f"knows no {{{name}}}{near}: {', '.join(known)}")
    fixed, braces, _ = template.partition("{")
    if not braces:
        raise ValueError(f"names none of {', '.join(known)} in braces")
    host = re.match(rf"(?:{'|'.join(schemes)})://[^/?#]+[/?#]", fixed)
    if host is None or not link(_SLOT.sub("x", template)):
        raise ValueError(f"is not an {' or '.join(schemes)} URL, its host spelled out")
    return template


def filled(template: str, values: Mapping[str, str | None]) -> str:
    """The address; "" where a value is missing, or would lead to another place."""
    encoded: dict[str, str] = {}
    for name in _SLOT.findall(template):
        value = (values[name] or "").lstrip("/")
        if not value or {".", ".."} & set(value.split("/")):
            return ""
        encoded[name] = quote(value, safe="/" if name == "path" else "", errors="replace")
    return link(_SLOT.sub(lambda slot: encoded[slot[1]], template))


SOURCE = ("path", "line", "release", "version", "revision")
SENTRY = ("event_id", "project", "slug")
SourceUrl = Annotated[str, AfterValidator(lambda url: check_template(url, SOURCE, ("https",)))]
SentryUrl = Annotated[
    str, AfterValidator(lambda url: check_template(url, SENTRY, ("https", "http")))
]
