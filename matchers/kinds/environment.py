"""`environment:` globs, asked of the event."""

from matchers.kinds.base import event_texts

KIND = event_texts("environment", lambda event: (event.environment,))
