"""What the upstream does not want just now is told to the SDKs; of errors they are never told.

Spec: https://develop.sentry.dev/sdk/expected-features/rate-limiting/
"""

import math
import re
from datetime import datetime, timedelta
from threading import Lock

# Sentry's data categories but for those of error events.
NOT_ERRORS = (
    *("attachment", "feedback", "log_byte", "log_item", "metric_bucket", "monitor", "profile"),
    *("profile_chunk", "profile_chunk_ui", "profile_duration", "replay", "session", "span"),
    *("statsd", "trace_metric", "transaction", "user_report_v2"),
)
NEVER = frozenset(("error", "default", "security"))  # whatever an SDK sends an error event as
LONGEST = timedelta(hours=1)
_QUOTA = re.compile(r"\s*(\d{1,9})(?:\.\d+)?:([\w;]*)(?::.*)?", re.ASCII)


class RateLimits:
    """Category → until when. Thread-safe."""

    def __init__(self, categories: tuple[str, ...]) -> None:
        """categories: those meant where a limit names none."""
        self._all = categories
        self._until: dict[str, datetime] = {}
        self._lock = Lock()

    def learn(self, header: str | None, now: datetime) -> None:
        """header: X-Sentry-Rate-Limits. What cannot be read is passed over."""
        for quota in (header or "").split(",")[:50]:
            if not (found := _QUOTA.fullmatch(quota)):
                continue
            until = now + min(timedelta(seconds=int(found[1])), LONGEST)
            named = found[2].split(";") if found[2] else self._all
            with self._lock:
                for category in set(named) & set(self._all) - NEVER:
                    self._until[category] = max(until, self._until.get(category, until))

    def header(self, now: datetime) -> str | None:
        """The same for an SDK, in whole seconds; None: it may send everything."""
        with self._lock:
            self._until = {name: until for name, until in self._until.items() if until > now}
            left = {name: (until - now).total_seconds() for name, until in self._until.items()}
        by_seconds: dict[int, list[str]] = {}
        for name, seconds in sorted(left.items()):
            by_seconds.setdefault(math.ceil(seconds), []).append(name)
        said = [
            f"{seconds}:{';'.join(names)}:organization"
            for seconds, names in sorted(by_seconds.items())
        ]
        return ", ".join(said) or None
