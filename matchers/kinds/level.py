"""`level:` globs, asked of the event's level: fatal, error, warning, info, debug."""

from matchers.kinds.base import event_texts

KIND = event_texts("level", lambda event: (event.level,))
