"""A silence as the form on a page has it: matchers in Alertmanager's notation, one a line.

Spec: https://prometheus.io/docs/alerting/latest/configuration/#matcher
`team="payments"`, `title=~"Timeout.*"`, `environment!=staging`; quotes may be left out.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from routers.postable import SilenceError
from routers.silences import Matcher

DURATIONS = {
    "1 h": timedelta(hours=1),
    "8 h": timedelta(hours=8),
    "24 h": timedelta(days=1),
    "7 d": timedelta(days=7),
}
_LINE = re.compile(r"\s*([A-Za-z_]+)\s*(=~|!~|!=|=)\s*(.*)", re.DOTALL)


def posted_by(form: Mapping[str, str], now: datetime) -> bytes:
    """The body that the API would be sent. Raises SilenceError."""
    length = DURATIONS.get(form.get("for", ""))
    if length is None:
        raise SilenceError([(("for",), f"one of {', '.join(DURATIONS)}")])
    asked: dict[str, Any] = {
        "matchers": list(_matchers(form.get("matchers", ""))),
        "endsAt": now + length,
        "createdBy": form.get("createdBy", ""),
        "comment": form.get("comment", ""),
    }
    return msgspec.json.encode(asked)


def notation(matcher: Matcher) -> str:
    operator = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
    value = matcher.value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{matcher.name}{operator[matcher.is_regex, matcher.is_equal]}"{value}"'


def _matchers(text: str) -> Iterator[dict[str, Any]]:
    for line in filter(str.strip, text.replace("\r", "").split("\n")):
        found = _LINE.fullmatch(line)
        if found is None:
            raise SilenceError([(("matchers",), f'"{line.strip()[:100]}" is not label="value"')])
        name, operator, value = found.groups()
        yield {
            "name": name,
            "value": _unquoted(value.strip()),
            "isRegex": "~" in operator,
            "isEqual": "!" not in operator,
        }


def _unquoted(value: str) -> str:
    """As Alertmanager has it: inside of quotes only `\\"` and a doubled backslash are escapes."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return re.sub(r'\\(["\\])', r"\1", value[1:-1])
