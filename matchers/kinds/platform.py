"""`platform:` globs, asked of the event's platform."""

from matchers.kinds.base import event_texts

KIND = event_texts("platform", lambda event: (event.platform,))
