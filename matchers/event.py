"""The event that every adapter translates to, in Sentry's words.

Records are frozen; an adapter fills what its format knows and leaves the rest None.
"""

from datetime import datetime
from typing import Literal

import msgspec

Level = Literal["fatal", "error", "warning", "info", "debug"]
SOURCE_MAP_BROKEN = "source_map_broken"


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call on the stack, as the sender named it (matchers/paths.py: its repository path)."""

    filename: str | None = None  # relative in Python, absolute in Node, a URL in browsers
    abs_path: str | None = None
    module: str | None = None
    function: str | None = None
    lineno: int | None = None  # from 1
    colno: int | None = None
    in_app: bool | None = None  # None: the sender did not say
    context_line: str | None = None


class ExceptionValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    type: str | None = None
    value: str | None = None
    module: str | None = None
    handled: bool | None = None
    # how it hangs on the exception thrown after it: "__cause__", "__context__", None: not said
    source: str | None = None
    # in a tree of exceptions (groups): its own number, and that of the one it hangs on
    exception_id: int | None = None
    parent_id: int | None = None
    frames: tuple[Frame, ...] = ()  # caller → raise: the last frame raised


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One error. Only this of it is ever stored, masked: service/masking.py."""

    event_id: str  # 32 hex digits
    timestamp: datetime  # the sender's clock, at most a minute ahead of ours; shown only
    received_at: datetime  # our clock; what windows and policy use
    project: str = "1"  # the number in the DSN
    project_slug: str | None = None  # as the rules file names it; matchers.engine.complete
    platform: str | None = None
    level: Level = "error"
    logger: str | None = None
    message: str | None = None
    transaction: str | None = None
    url: str | None = None
    release: str | None = None
    environment: str | None = None
    server_name: str | None = None
    tags: dict[str, str] = {}
    context: dict[str, str] = {}  # dotted name → text, of what the rules file makes `visible`
    fingerprint: tuple[str, ...] = ()  # as the SDK set it; may hold "{{ default }}"
    trace_id: str | None = None
    web_url: str | None = None  # Sentry's page of it, where Sentry itself says so
    exceptions: tuple[ExceptionValue, ...] = ()  # root cause → thrown: the last was thrown
    warnings: tuple[str, ...] = ()  # what we noticed on the way here; codes of matchers/climb.py
    truncated: tuple[str, ...] = ()  # what it lost at the door, being too large; a warning


def title(event: Event) -> str:
    """`Type: value` of the thrown exception, or the message; one line, never decorated."""
    thrown = event.exceptions[-1] if event.exceptions else ExceptionValue()
    said = ": ".join(part for part in (thrown.type, thrown.value) if part)
    return one_line(said or event.message or "(an event without a message)")


def one_line(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
