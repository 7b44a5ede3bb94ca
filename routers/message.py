"""What an alert says, as text, before any vendor's markup.

Exception texts are foreign: they may be empty, huge, or written to attack whoever reads them.
What leaves this module is bounded by its caller with `shorten`, and holds no control characters.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any
from urllib.parse import quote

import msgspec

from matchers.event import Event, Frame
from routers.notification import ALONE, Alert, CauseKind, Digest, Notification, Reason, Storm
from routers.urls import link

HEADLINE_LIMIT = 300  # characters
BODY_LIMIT = 3_000

WORDS: dict[Reason, str] = {
    "owner_changed": "Now yours",
    "regression": "Back again",
    "escalation": "Growing",
    "first_seen": "New error",
    "repeat": "Still failing",
    "digest": "Digest",
    "test": "Test alert",
}

_SHARED: dict[CauseKind, str] = {
    "frame": "all raised in",
    "dependency": "all from the dependency",
    "release": "all in release",
}
SHARED_LIMIT = 80

# C0 and C1 controls, invisible and direction-changing marks, lone surrogates. Not U+200D: it
# joins emoji.
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f"
    r"\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class Place(msgspec.Struct, frozen=True):
    """The frame that decided, as far as it is known."""

    text: str  # "server/app/billing/tax.py:88 in rate"; the culprit when no frame decided
    line: str  # its source line; "" when not known


def headline(alert: Alert) -> str:
    """One line: why it is told, and the title; of several, how many, and the worst of them."""
    said = one_line(alert.written.title) or _headline(alert.notification)
    if alert.storm:
        many = f"Storm of {alert.storm.groups:,} new errors"
        return f"{many}, {_shared(alert.storm)}; the worst: {said}"
    return f"{told_besides(alert) + 1:,} alerts, the worst: {said}" if alert.others else said


def told_besides(alert: Alert) -> int:
    """How many the message tells besides the worst."""
    return len(alert.others) + alert.more


def is_one_group(alert: Alert) -> bool:
    """Whether the message is about just one, and may stand in its thread."""
    return not (alert.others or alert.storm or alert.notification.reason in ALONE)


def title(alert: Alert) -> str:
    """All of it, in its own lines, for where the headline was cut."""
    return many_lines(alert.written.title or alert.notification.title)


def body(alert: Alert) -> str:
    """What a channel's template says in place of facts, frame and reason; "" where none does."""
    return shorten(many_lines(alert.written.body), BODY_LIMIT)


def also(alert: Alert, named: int) -> list[str]:
    """A line for each of the others that are told by the same message; the rest is counted.

    Of a digest also its own lines.
    """
    own = digest_lines(alert.notification.digest, named)
    lines = own + [
        " · ".join(filter(None, (_headline(other), other.severity, one_line(other.environment))))
        for other in alert.others[: named - len(own)]
    ]
    left = told_besides(alert) - (len(lines) - len(own))
    return [*lines, f"and {left:,} more"] if left else lines


def digest_lines(digest: Digest | None, named: int) -> list[str]:
    """The groups that were seen most, of each kind as many, so that all of it fits."""
    for each in range(named, 0, -1):
        lines = [
            f"{kind} · seen {entry.times_seen:,} · {one_line(entry.title)}"
            for kind, tally in (digest.kinds if digest else ())
            for entry in tally.entries[:each]
        ]
        if len(lines) <= named:
            return lines
    return []


def _shared(storm: Storm) -> str:
    return f"{_SHARED[storm.cause.kind]} {shorten(one_line(storm.cause.value), SHARED_LIMIT)}"


def _headline(notification: Notification) -> str:
    title = one_line(notification.title) or "(no title)"
    if notification.reason == "digest" and notification.digest is None:
        return title  # the warning of a silence, which says all itself
    word = WORDS[notification.reason]
    if notification.reason == "escalation" and notification.threshold:
        word = f"{word}, seen {notification.threshold:,} times"
    return f"{word}: {title}"


def facts(alert: Alert) -> list[tuple[str, str]]:
    """Label and value, most telling first. A fact that is not known is not there."""
    told = alert.notification
    known = (
        ("Team", told.team or "nobody"),
        ("Severity", told.severity),
        *_about(alert),
    )
    cleaned = ((label, one_line(value)) for label, value in known)
    return [(label, value) for label, value in cleaned if value]


def _about(alert: Alert) -> Iterator[tuple[str, str | None]]:
    told = alert.notification
    if told.digest:
        yield from _of_digest(told.digest)
    elif alert.storm:
        yield "Environment", told.environment
        yield "Release", told.release
        yield from _of_storm(alert, alert.storm)
    else:
        yield from _of_group(told)
    if alert.others and not alert.storm:
        yield "Alerts since", moment(min(one.last_seen for one in (told, *alert.others)))


def _of_storm(alert: Alert, storm: Storm) -> Iterator[tuple[str, str]]:
    yield "Storm", _shared(storm)
    yield "Groups", f"{storm.groups:,}, {told_besides(alert) + 1:,} of them told here"
    yield "Events", f"{storm.events:,}"
    yield "Reason", alert.notification.reason
    yield "Since", moment(storm.since)


def place(alert: Alert) -> Place:
    decided = alert.ownership.get("frame")
    if not isinstance(decided, dict) or not decided.get("path"):
        return Place(one_line(alert.notification.culprit), "")
    text = str(decided["path"])
    if decided.get("lineno") is not None:
        text += f":{decided['lineno']}"
    if decided.get("function"):
        text += f" in {decided['function']}"
    return Place(one_line(text), _source_line(alert.event, decided))


def why_you(alert: Alert) -> str:
    """ "Why payments: …", on one line; "" where nothing says."""
    why = one_line(alert.notification.why)
    return f"Why {shorten(one_line(alert.notification.team) or 'nobody', 60)}: {why}" if why else ""


def permalink(alert: Alert) -> str:
    """The group's page, of a storm that of all its team's groups; "" when there is none to show."""
    page = alert.notification.permalink
    if alert.storm:
        team = quote(alert.notification.team or "unowned", safe="")
        page = f"{(page or '').rpartition('/groups/')[0]}/?team={team}"
    return link(page)


def links(alert: Alert) -> list[tuple[str, str]]:
    """Label and address: the group's page first, then those that are known."""
    page = permalink(alert)
    return [*([("Open in Pointsman", page)] if page else []), *further(alert)]


def further(alert: Alert) -> list[tuple[str, str]]:
    known = (
        ("Runbook", link(alert.links.runbook)),
        ("Source", link(alert.links.source)),
        ("Sentry", link(alert.links.sentry)),
    )
    return [(label, address) for label, address in known if address]


def plain(alert: Alert) -> str:
    """A few short lines without any markup, under 2,000 characters."""
    notification, besides = alert.notification, told_besides(alert)
    summary = (notification.team or "nobody", notification.severity, notification.environment)
    told = (
        shorten(headline(alert), HEADLINE_LIMIT),
        " · ".join(shorten(one_line(part), 60) for part in summary if part),
        shorten(place(alert).text, 200),
        f"and {besides:,} more alerts" if besides else "",
        permalink(alert),
    )
    return "\n".join(line for line in told if line)


def marker(alert: Alert) -> str:
    """Ends what has no field for an id: the same words again are the same alert, told again."""
    return f"Delivery {alert.id}" if alert.id else ""


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters; the last is an ellipsis if any were cut."""
    if len(text) <= limit:
        return text
    return text[: limit - 1] + "…" if limit > 0 else ""


def fit(text: str, limit: int, size: Callable[[str], int]) -> str:
    """As `shorten`, where a vendor measures otherwise: at most `limit` as `size` has it.

    size: of a text, which is the sum over its characters; each is at least 1.
    """
    start = shorten(text, limit)
    if size(start) <= limit:
        return start
    room = limit - size("…")
    kept = bisect_right(list(accumulate(map(size, start))), room)
    return start[:kept].removesuffix("…") + "…" if room >= 0 else ""


def one_line(text: str | None) -> str:
    return _visible(" ".join((text or "").split()))


def many_lines(text: str | None) -> str:
    """As written, but for what a reader could not see; no line ends in blanks."""
    lines = (text or "").replace("\r\n", "\n").split("\n")
    return "\n".join(_visible(line).rstrip() for line in lines).strip("\n")


def unfenced(text: str) -> str:
    """The text, unable to leave a block of code that ``` ends."""
    return text.replace("```", "\N{MODIFIER LETTER GRAVE ACCENT}" * 3)


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _of_group(told: Notification) -> Iterator[tuple[str, str | None]]:
    yield "Environment", told.environment
    yield "Release", told.release
    yield "Times seen", f"{told.times_seen:,}" if told.times_seen else ""
    yield "Reason", told.reason
    if told.reason != "test":  # of which nothing was seen
        yield "First seen", moment(told.first_seen)
        yield "Last seen", moment(told.last_seen)


def _of_digest(digest: Digest) -> Iterator[tuple[str, str]]:
    yield "Reason", "digest"
    yield from ((kind.capitalize(), f"{tally.count:,}") for kind, tally in digest.kinds)
    yield "Not told", ", ".join(f"{n:,} {why}" for why, n in digest.saved.items())


def _visible(text: str) -> str:
    return _UNSAFE.sub(lambda char: ascii(char[0])[1:-1], text)


def _source_line(event: Event | None, decided: dict[str, Any]) -> str:
    path, lineno = str(decided["path"]), decided.get("lineno")
    for frame in _frames(event):
        same_call = frame.lineno == lineno and frame.function == decided.get("function")
        if same_call and frame.context_line and _lies_at(frame, path):
            return one_line(frame.context_line)
    return ""


def _frames(event: Event | None) -> Iterator[Frame]:
    """From the raise outwards, the thrown exception first."""
    for exception in reversed(event.exceptions if event else ()):
        yield from reversed(exception.frames)


def _lies_at(frame: Frame, path: str) -> bool:
    """Whether the repository path is a tail of the frame's, or the other way round."""
    spelled = (frame.filename, frame.abs_path)
    tails = [f"/{name}".replace("\\", "/") for name in spelled if name]
    return any(tail.endswith(f"/{path}") or f"/{path}".endswith(tail) for tail in tails)
