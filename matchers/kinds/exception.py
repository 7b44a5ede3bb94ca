"""`exception:` globs: any exception of the event has that `Type` or `module.Type`."""

from collections.abc import Iterator

from matchers.event import Event
from matchers.kinds.base import event_texts


def names(event: Event) -> Iterator[str | None]:
    for error in event.exceptions:
        yield error.type
        if error.type and error.module:
            yield f"{error.module}.{error.type}"


KIND = event_texts("exception", names)
