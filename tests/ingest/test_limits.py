"""The table of limits in docs/ingest.md says what the code does."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from service.ingest import limits

_TEXT = (Path(__file__).parents[2] / "docs" / "ingest.md").read_text(encoding="utf-8")
PAGE = _TEXT.partition("## Limits")[2].partition("\n## ")[0]
ROWS = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE))
INSIDE = {
    "KIB",
    "MIB",
    "LARGE",
    "PIECE",
    "MORE",
    "TRACEBACK",
}  # of how it is done, nothing a sender meets
WRITTEN = {
    "BODY": "body, packed and unpacked",
    "BODY_SECONDS": "time for a body",
    "LARGE_BODIES": "bodies over 1 MiB in memory at once",
    "LARGE_BODY": "a body whose key is only inside",
    "WINDOW": "`Content-Encoding`",
    "MEMBERS": "members of a gzip body, frames of a zstd body",
    "HEADER_LINE": "envelope",
    "ITEMS": "envelope",
    "ENVELOPE_EVENTS": "events of an envelope",
    "BATCH": "batch",
    "BATCH_FRAMES": "frames of a batch",
    "OTLP_ERRORS": "OTLP: errors of a request, with what cannot be read",
    "EVENT": "any event as it is kept",
    "FRAMES": "frames of an event",
    "EXCEPTIONS": "exceptions of an event",
    "TAGS": "tags",
    "TAG": "tags",
    "FINGERPRINT": "fingerprint",
    "DEPTH": "levels of nested JSON",
    "AHEAD": "a `timestamp`",
    "DRIFT": "the sender's clock",
}


def shown(limit: object) -> str:
    if isinstance(limit, timedelta):
        return f"{limit.total_seconds() / 60:g} minute"
    if isinstance(limit, float):
        return f"{limit:g} s"
    assert isinstance(limit, int)
    for unit, name in ((limits.MIB, "MiB"), (limits.KIB, "KiB")):
        if limit % unit == 0:
            return f"{limit // unit} {name}"
    return f"{limit:,}"


@pytest.mark.parametrize("name", WRITTEN)
def test_a_limit_is_documented_as_it_is(name: str) -> None:
    assert re.search(rf"\b{shown(getattr(limits, name))}\b", ROWS[WRITTEN[name]])


def test_every_limit_is_documented() -> None:
    assert {name for name in vars(limits) if name.isupper()} == WRITTEN.keys() | INSIDE
