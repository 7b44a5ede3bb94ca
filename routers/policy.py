"""`policy:` of the rules file: when a team is told, and how badly."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from matchers.event import Event
from matchers.ownership import Ownership
from routers.notification import Severity

_LEVELS: dict[str, Severity] = {
    "fatal": "critical",
    "error": "error",
    "warning": "warning",
    "info": "info",
    "debug": "info",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Notify(_Strict):
    """Which reasons are told."""

    first_seen: bool = True
    regression: bool = True
    owner_changed: bool = True


class Policy(_Strict):
    mode: Literal["notify", "observe"] = "notify"  # observe: decide, store, show, send nothing
    notify: Notify = Notify()
    # told of what its own receiver cannot be told: the channel is gone, refused, unconfigured,
    # or the team names no receivers at all
    fallback_receivers: Annotated[list[str], Field()] = ["log"]


def severity(event: Event, ownership: Ownership) -> Severity:
    """By level; an error in production code of high criticality is critical."""
    by_level = _LEVELS[event.level]
    criticality = ownership.rule.criticality if ownership.rule else None
    if by_level == "error" and criticality in ("high", "critical"):
        return "critical" if event.environment == "production" else "error"
    return by_level
