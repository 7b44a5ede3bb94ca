"""What of a decided event goes on: to the database, the pages, the API and the teams.

Deciding has seen everything; what is made after it (title, culprit, why, the decision's JSON) is
made of what leaves here. Free text is masked by pattern (service/scrub.py), tags by name, and of
the context only what `visible:` names was ever read.
"""

import re

import msgspec

from matchers.event import Event, ExceptionValue, Frame
from matchers.ownership import FrameRef, Ownership
from matchers.ruleset import Ruleset
from matchers.text import MESSAGE, NAME, TRANSACTION
from matchers.visible import NOTHING, Visible
from routers.rules import Rules
from service.ingest.limits import TAG
from service.ingest.sentry_event import NOT_IN_A_URL
from service.pipeline import Decided
from service.scrub import is_secret, scrub, scrub_code

MASKED = "[masked]"
SECRET = "[masked: secret]"  # noqa: S105 what stands in its place
# What SDKs and the adapters set themselves, of the program and not of its users.
STANDARD_TAGS = frozenset(
    (
        *("environment", "release", "dist", "level", "logger", "platform", "transaction", "url"),
        *("server_name", "handled", "mechanism", "service", "service.name", "service.version"),
        *("service.namespace", "deployment.environment", "deployment.environment.name"),
        *("runtime", "runtime.name", "os", "os.name", "os.family", "device", "device.family"),
        *("browser", "browser.name", "app", "framework", "language", "code_version"),
        *("component", "action"),
    )
)
_TRACE_ID = re.compile("[0-9a-fA-F-]{16,36}")
# The last word of a text, and the digits before it: an address, a token, a card by fours.
_HALF = re.compile(r"(?<![\d -])[\d -]*+\S*+\Z|(?<!\S)\S++\Z")
_NO_RULES = Ruleset()


def masked(decided: Decided) -> Decided:
    """Pure, and the same again."""
    event = mask(decided.event, decided.rules)
    ownership = _ownership(decided.ownership, event)
    return msgspec.structs.replace(decided, event=event, ownership=ownership)


def mask(event: Event, rules: Rules | None) -> Event:
    """rules: None while none have loaded; then only what is known of every event goes on."""
    ruleset = rules.ruleset if rules else _NO_RULES
    visible = rules.visible if rules else NOTHING
    url = event.url and NOT_IN_A_URL.sub("", event.url)
    return msgspec.structs.replace(
        event,
        platform=_text(event.platform),
        logger=_text(event.logger),
        message=_text(event.message, MESSAGE),
        transaction=_text(event.transaction, TRANSACTION),
        url=_text(url, TRANSACTION),
        release=_text(event.release),
        environment=_text(event.environment),
        server_name=_text(event.server_name),
        tags=dict(_tag(name, value, ruleset, visible) for name, value in event.tags.items()),
        context={
            scrub(name): SECRET if is_secret(name) else _text(value) or ""
            for name, value in event.context.items()
            if visible.shows(name)
        },
        fingerprint=tuple(map(scrub, event.fingerprint)),
        web_url=_text(event.web_url),
        trace_id=trace_of(event),
        exceptions=tuple(map(_exception, event.exceptions)),
    )


def trace_of(event: Event) -> str | None:
    """None: what it says is no trace's id."""
    return event.trace_id if _TRACE_ID.fullmatch(event.trace_id or "") else None


def _text(text: str | None, cap: int = NAME) -> str | None:
    return scrub(_without_half(text, cap)) if text else text


def _without_half(text: str, cap: int) -> str:
    """Of a text that was cut at the door, no half of what a pattern would know whole."""
    if len(text) != cap:
        return text
    return text[: cap // 2] + _HALF.sub("", text[cap // 2 :])


def _tag(name: str, value: str, ruleset: Ruleset, visible: Visible) -> tuple[str, str]:
    known = name in STANDARD_TAGS or name in ruleset.tags
    if not known and not visible.shows(f"tags.{name}"):
        return scrub(name), MASKED
    if name == "url":
        value = NOT_IN_A_URL.sub("", value)
    return scrub(name), SECRET if is_secret(name) else _text(value, TAG) or ""


def _exception(error: ExceptionValue) -> ExceptionValue:
    return msgspec.structs.replace(
        error,
        type=_text(error.type),
        value=_text(error.value, MESSAGE),
        module=_text(error.module),
        source=_text(error.source),
        frames=tuple(map(_frame, error.frames)),
    )


def _frame(frame: Frame) -> Frame:
    line = frame.context_line and scrub_code(_without_half(frame.context_line, NAME))
    function, module = _text(frame.function), _text(frame.module)
    filename, abs_path = _path(frame.filename), _path(frame.abs_path)
    kept = (
        line == frame.context_line
        and function == frame.function
        and module == frame.module
        and filename == frame.filename
        and abs_path == frame.abs_path
    )
    if kept:  # most frames stay as they are, and there are many
        return frame
    return msgspec.structs.replace(
        frame,
        context_line=line,
        function=function,
        module=module,
        filename=filename,
        abs_path=abs_path,
    )


def _path(path: str | None) -> str | None:
    """Of a URL no credentials and no query, which are no part of the path that rules see."""
    if path and "://" in path and ("?" in path or "#" in path or "@" in path):
        return NOT_IN_A_URL.sub("", path)
    return path


def _ownership(ownership: Ownership, event: Event) -> Ownership:
    """What it quotes of the event, as the masked one has it; and a tag that names no team."""
    return msgspec.structs.replace(
        ownership,
        warnings=tuple(
            msgspec.structs.replace(warned, message=scrub(warned.message))
            for warned in ownership.warnings
        ),
        frame=ownership.frame and _ref(ownership.frame, event),
        trail=tuple(
            msgspec.structs.replace(walked, frame=_ref(walked.frame, event))
            for walked in ownership.trail
        ),
    )


def _ref(ref: FrameRef, event: Event) -> FrameRef:
    error = event.exceptions[ref.at[0]]
    function = error.frames[ref.at[1]].function
    return msgspec.structs.replace(ref, function=function, exception=error.type)
