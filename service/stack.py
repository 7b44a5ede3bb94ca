"""The stack of an event as a page shows it: each frame with what the decision made of it."""

from typing import Any

import msgspec

from matchers.event import Event


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    path: str  # as the rules see it, else as the sender named it
    function: str | None
    lineno: int | None
    context_line: str | None
    verdict: str  # the trail's, or "not reached": an earlier frame had decided
    rule: dict[str, Any] | None
    decided: bool


class Thrown(msgspec.Struct, frozen=True, kw_only=True):
    type: str | None
    value: str | None
    frames: tuple[Shown, ...]  # the raise first


def stack(event: Event, decision: dict[str, Any] | None) -> list[Thrown]:
    """The exception that was thrown first, then what it hangs on."""
    trail = {tuple(walked["frame"]["at"]): walked for walked in (decision or {}).get("trail", ())}
    decider = tuple(((decision or {}).get("frame") or {}).get("at") or ())
    return [
        Thrown(
            type=error.type,
            value=error.value,
            frames=tuple(
                _shown(event, (index, place), trail.get((index, place)), decider)
                for place in reversed(range(len(error.frames)))
            ),
        )
        for index, error in reversed(list(enumerate(event.exceptions)))
    ]


def _shown(
    event: Event, at: tuple[int, int], walked: dict[str, Any] | None, decider: tuple[int, ...]
) -> Shown:
    frame = event.exceptions[at[0]].frames[at[1]]
    named = frame.filename or frame.abs_path or frame.module or "(no file)"
    return Shown(
        path=(walked and walked["frame"]["path"]) or named,
        function=frame.function,
        lineno=frame.lineno,
        context_line=frame.context_line,
        verdict=walked["verdict"] if walked else "not reached",
        rule=walked["rule"] if walked else None,
        decided=at == decider,
    )
