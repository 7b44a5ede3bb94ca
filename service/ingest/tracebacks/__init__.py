"""Printed stack traces, of whatever runtime wrote them."""

from matchers.event import ExceptionValue
from service.ingest.tracebacks.python import parse_traceback as _python


def parse_traceback(text: str, platform: str | None = None) -> tuple[ExceptionValue, ...]:
    """Return every exception of the text, in the order of `Event.exceptions`.

    platform: the sender's word for its runtime, as in `Event.platform`; None: not said.
    Raises InvalidEventError (no_traceback).
    """
    return _python(text)
