"""Why an alert was not delivered.

    DeliveryError
    ├── TemporaryError    worth another attempt; may carry retry_after
    └── PermanentError    another attempt would fail the same way
        └── RefusedError  … as it is written; short plain text may pass

No text of theirs ever holds a URL, a token or an answer's body beyond its first words.
"""

from datetime import timedelta


class WordingError(Exception):
    """A channel's template failed; what it would have said is told in the built-in words."""


class DeliveryError(Exception):
    """`code` is the short word that the API, the metric and the page show."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class TemporaryError(DeliveryError):
    """retry_after: as the destination asked, None where it did not.

    pause: the destination as a whole asked for quiet (408, 425, 429), not just this delivery.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retry_after: timedelta | None = None,
        pause: bool = False,
    ) -> None:
        self.retry_after = retry_after
        self.pause = pause
        super().__init__(code, message)


class PermanentError(DeliveryError):
    """The destination is gone or will never take this."""


class RefusedError(PermanentError):
    """The destination called the message malformed (400, 413, 415, 422)."""
