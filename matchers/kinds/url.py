"""`url:` globs, asked of the URL of the request, without its query."""

from matchers.kinds.base import event_texts

KIND = event_texts("url", lambda event: (event.url,))
