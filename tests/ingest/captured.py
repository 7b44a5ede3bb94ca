"""The captured requests of tests/data/captures, and what is written down about them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from service.ingest import ADAPTERS
from service.ingest.base import Adapter, Parsed, Request
from service.ingest.body import read_body

DATA = Path(__file__).parent.parent / "data"
CAPTURES = DATA / "captures"
EXPECTED: list[dict[str, Any]] = yaml.safe_load((DATA / "captures.yaml").read_text())
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
REQUEST = Request(content_type="application/json", project="42", received_at=NOW)


class Captured(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes  # unpacked


def load(name: str) -> Captured:
    told = json.loads((CAPTURES / f"{name}.request.json").read_text())
    headers = {key.lower(): value for key, value in told["headers"]}
    packed = (CAPTURES / f"{name}.body").read_bytes()
    body = asyncio.run(read_body(_chunks(packed), headers.get("content-encoding")))
    return Captured(told["path"], headers, body)


def door(path: str) -> Adapter:
    """The adapter that takes what is posted to `path`."""
    for adapter in ADAPTERS:
        for template in adapter.paths:
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template.rstrip("/")) + "/?", path):
                return adapter
    raise LookupError(path)


def names() -> Iterator[str]:
    for path in sorted(CAPTURES.glob("*/*.body")):
        yield f"{path.parent.name}/{path.stem}"


def parsed(name: str) -> Parsed:
    """As the door that it was sent to reads it."""
    captured = load(name)
    content_type = captured.headers.get("content-type", "")
    request = msgspec.structs.replace(REQUEST, content_type=content_type)
    return door(captured.path).parse(captured.body, request)


async def _chunks(packed: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(packed), 1000):
        yield packed[start : start + 1000]
