"""`tags: {name: glob}`: every tag named must fit one of its globs; an absent tag fits none."""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from matchers.event import Event
from matchers.globs import compile_glob
from matchers.kinds.base import Kind, Texts


def compile_tags(value: dict[str, list[str]]) -> Callable[[Event], bool]:
    wanted = [(name, [compile_glob(glob) for glob in globs]) for name, globs in value.items()]
    return lambda event: all(
        name in event.tags and any(fit(event.tags[name]) for fit in fits) for name, fits in wanted
    )


KIND = Kind("tags", "event", Annotated[dict[str, Texts], Field(min_length=1)], compile_tags)
