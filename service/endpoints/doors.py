"""The doors for events: plain ASGI in front of FastAPI, which costs more than deciding does.

They are FastAPI's routes all the same, so that the OpenAPI document has them; what comes here by
POST never reaches those.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from re import Pattern
from typing import NamedTuple

from starlette.routing import compile_path
from starlette.types import Receive, Scope

_PATHS = 1024  # remembered: each project has a few


class Answered(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


Door = Callable[[Scope, Receive], Awaitable[Answered]]


class Doors:
    """The first path that fits is the door, as in a router."""

    def __init__(self, doors: Iterable[tuple[str, Door]] = ()) -> None:
        """doors: by path templates, `/api/{project}/store/`."""
        self._templates: list[tuple[Pattern[str], Door]] = [
            (compile_path(path)[0], door) for path, door in doors
        ]
        self._remembered = lru_cache(_PATHS)(self._at)

    def find(self, scope: Scope) -> Door | None:
        """The scope then has its path's parameters. None: it is none of theirs."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        found = self._remembered(scope["path"])
        if found is None:
            return None
        scope["path_params"] = found[1]
        return found[0]

    def _at(self, path: str) -> tuple[Door, Mapping[str, str]] | None:
        for template, door in self._templates:
            if found := template.match(path):
                return door, found.groupdict()
        return None
