"""Teams and their receivers: which channels are told, given how bad and where."""

from collections.abc import Callable, Iterable
from typing import Annotated

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from matchers.errors import Origin
from matchers.globs import compile_glob
from matchers.kinds.base import LISTED, Text, Texts
from routers.notification import Severity


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class When(_Strict):
    """Everything named must fit; lists mean any of them."""

    severity: Annotated[list[Severity], Field(min_length=1), LISTED] | None = None
    environment: Texts | None = None


class ReceiverEntry(_Strict):
    channel: Text
    when: When | None = None
    continue_: Annotated[bool, Field(alias="continue")] = False


class Receiver(msgspec.Struct, frozen=True):
    """Where a team is told, and when this one is asked."""

    channel: str
    fits: Callable[[Severity, str], bool]
    goes_on: bool = False  # `continue: true`: the next one that fits is told too


class Team(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    name: str
    aliases: tuple[str, ...] = ()
    receivers: tuple[Receiver, ...] | None = None  # None: it names none, the fallback is told
    origin: Origin


def receiver(entry: ReceiverEntry) -> Receiver:
    return Receiver(entry.channel, _fits(entry.when or When()), entry.continue_)


def choose(receivers: Iterable[Receiver], severity: Severity, environment: str) -> tuple[str, ...]:
    """The channels that are told: the first that fits, and on from it while `continue` says so."""
    chosen: dict[str, None] = {}
    for candidate in receivers:
        if candidate.fits(severity, environment):
            chosen[candidate.channel] = None
            if not candidate.goes_on:
                break
    return tuple(chosen)


def _fits(when: When) -> Callable[[Severity, str], bool]:
    globs = [compile_glob(glob) for glob in when.environment or ["*"]]

    def fits(severity: Severity, environment: str) -> bool:
        severe = when.severity is None or severity in when.severity
        return severe and any(glob(environment) for glob in globs)

    return fits
