"""`message:` globs: the event's message, or the value of any of its exceptions."""

from collections.abc import Iterator

from matchers.event import Event
from matchers.kinds.base import event_texts


def messages(event: Event) -> Iterator[str | None]:
    yield event.message
    for error in event.exceptions:
        yield error.value


KIND = event_texts("message", messages)
