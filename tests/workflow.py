"""Workflow commands, read back as GitHub's runner reads them.

Spec: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_COMMAND = re.compile(r"::(?P<level>\S+?)(?: (?P<properties>.*?))?::(?P<message>.*)")


class Command(NamedTuple):
    level: str
    properties: dict[str, str]
    message: str


def commands(log: str) -> Iterator[Command]:
    for line in log.splitlines():
        if found := _COMMAND.fullmatch(line.strip()):
            pairs = (pair.split("=", 1) for pair in (found["properties"] or "").split(",") if pair)
            properties = {name: _plain(value) for name, value in pairs}
            yield Command(found["level"], properties, _plain(found["message"]))


def _plain(text: str) -> str:
    for escaped, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escaped, char)
    return text
