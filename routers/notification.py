"""What is told to a team, and the words for why, how badly, and what became of an event."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from matchers.event import Event

# Why a team is told. When several hold, the first of these.
Reason = Literal[
    "owner_changed", "regression", "escalation", "first_seen", "repeat", "digest", "test"
]
ALONE: tuple[Reason, ...] = ("digest", "test")  # of these none is about one group
Severity = Literal["critical", "error", "warning", "info"]
# What became of an accepted event, one each; the same word in API, log, metric and page.
Outcome = Literal[
    "notified",
    "grouped",
    "silenced",
    "muted_time",
    "ignored",
    "below_level",
    "observed",
    "no_receiver",
    "unowned",
    "duplicate",
    "over_quota",
    "undecided",
]
# What the groups of a storm have in common, the most telling first.
CauseKind = Literal["frame", "dependency", "release"]
SEVERITIES: tuple[Severity, ...] = ("critical", "error", "warning", "info")  # the worst first
State = Literal["pending", "leased", "delivered", "merged", "dead"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A group, as a digest names it."""

    group: str
    title: str
    times_seen: int  # within the digest's days


class Tally(msgspec.Struct, frozen=True):
    """Groups of one kind: how many, and those that were seen most."""

    count: int = 0
    entries: tuple[Entry, ...] = ()


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """A team's week."""

    since: datetime
    until: datetime  # and without it
    new: Tally = Tally()
    burning: Tally = Tally()  # older ones that came again, and nobody resolved
    resolved: Tally = Tally()
    unowned_near: Tally = Tally()  # nobody's, in files next to what the team owns
    saved: dict[str, int] = {}  # what the team was not told, by the word for why; `merged` too

    @property
    def kinds(self) -> tuple[tuple[str, Tally], ...]:
        return (
            ("new", self.new),
            ("burning", self.burning),
            ("resolved", self.resolved),
            ("unowned near", self.unowned_near),
        )


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell one receiver. Kept with its delivery; rendered when it is sent."""

    # its first delivery's, wherever else it is told and by whichever message: whoever hears it
    # again can tell; "": it is not queued yet, or was before there were ids
    id: str = ""
    group: str  # 16 hex digits
    project: str
    receiver: str  # the name of a channel in the rules file
    team: str | None  # slug; None: nobody owns it
    reason: Reason
    severity: Severity
    title: str  # "Type: value", or the message
    culprit: str  # where it broke: "server/app/billing/tax.py in rate"
    why: str  # one line: frame, rule, file:line
    permalink: str  # the group's page
    event_id: str
    environment: str | None
    release: str | None
    times_seen: int
    threshold: int = 0  # of an escalation: how many times are now past
    first_seen: datetime
    last_seen: datetime
    # True: it tells nothing new, it closes the incident that an earlier one opened
    closes: bool = False
    digest: Digest | None = None  # instead of a group; None: it is about one
    # what it may share with others: routers/storm.py
    raised_in: str = ""  # "server/app/db.py in connect"; "": not known
    dependency: str = ""  # the package of the third-party frame that raised; "": none did
    spare: tuple[str, ...] = ()  # receivers of its team that would fit too, should this one be dead


class Cause(msgspec.Struct, frozen=True):
    kind: CauseKind
    value: str


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says of a storm as a whole."""

    id: str  # the same over all of its messages: dedup keys are made of it
    cause: Cause
    since: datetime
    groups: int  # so far; those that were told one by one before it was noticed too
    events: int  # in these groups


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """The message that tells of a group, where a destination lets it be changed and replied to."""

    channel: str  # the destination's own names for where it stands, and for it
    ts: str
    updated_at: datetime
    due_at: datetime | None = None  # when it is to be changed; None: it says what is so
    said: str = ""  # what a person did about the group since it was last told


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message leads besides the group's page; "" where there is none."""

    runbook: str = ""
    source: str = ""  # of the frame that decided, at the release
    sentry: str = ""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """By a channel's templates; "" where it has none: then it is worded as ever."""

    title: str = ""
    body: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel is handed: the notification, with the event and decision behind it."""

    # the same over every attempt, and at a fallback too: webhook-id, Message-ID and what a message
    # ends with are made of it. A message that tells several has its own, as what it holds is
    # told nowhere else
    id: str
    sent_at: datetime
    notification: Notification
    ownership: dict[str, Any]  # the decision, as the API shows it
    event: Event | None  # None: no longer stored
    links: Links = Links()
    others: tuple[Notification, ...] = ()  # told by the same message, the worst first
    more: int = 0  # told by it too, and not among these
    storm: Storm | None = None  # it tells of these groups as one
    written: Written = Written()
    plain: bool = False  # True: the vendor refused the full rendering as malformed; send short text
    thread: Thread | None = None  # what this receiver was told of the group; None: nothing yet
    pressable: bool = False  # whether what is pressed in the message reaches us
