"""What a person did to a group, in the words that its message then shows."""

from collections.abc import Callable, Mapping
from typing import Any

_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "resolve": lambda about: f"resolved in {about['release']}" if about["release"] else "resolved",
    "ignore": lambda _about: "ignored",
    "assign": lambda about: f"given to {about['team'] or 'whoever the rules name'}",
    "silence": lambda about: f"silenced for {about['length']}",
}


def done_by(act: str, by: str, **detail: Any) -> str:
    """ "": as if nobody had done anything."""
    who = by.partition(" ")[2] if by.startswith("slack:") else by  # its name without its id
    return f"{_WORDS[act](detail)} by {who or by}" if act in _WORDS else ""
