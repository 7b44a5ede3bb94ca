"""Reports that browsers send by themselves (CSP and its like): answered, counted, dropped.

They tell of a page's policy and of no error, so they have no owner. A browser reads no answer.
Spec: https://develop.sentry.dev/sdk/data-model/event-payloads/
"""

from http import HTTPStatus

import msgspec

from service.ingest.base import Adapter, Answer, Handled, InvalidEventError, Parsed, Request
from service.ingest.sentry_envelope import refuse


def parse(body: bytes, _request: Request) -> Parsed:
    """Raises InvalidEventError: malformed_json."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)  # nothing of it is read
    except (msgspec.MsgspecError, RecursionError):
        raise InvalidEventError("malformed_json", "a report is JSON") from None
    return Parsed(dropped={"security": 1})


def reply(_parsed: Parsed, _handled: tuple[Handled, ...], _request: Request) -> Answer:
    return Answer(HTTPStatus.CREATED, {})


ADAPTER = Adapter(
    name="sentry_security",
    paths=("/api/{project}/security/",),
    parse=parse,
    reply=reply,
    refuse=refuse,
    dsn=True,
)
