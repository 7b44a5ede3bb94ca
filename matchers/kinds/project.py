"""`project:` globs: the project's number in the DSN, or its slug under `projects:`."""

from matchers.kinds.base import event_texts

KIND = event_texts("project", lambda event: (event.project, event.project_slug))
