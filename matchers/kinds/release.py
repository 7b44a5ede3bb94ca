"""`release:` globs, asked of the event's release."""

from matchers.kinds.base import event_texts

KIND = event_texts("release", lambda event: (event.release,))
