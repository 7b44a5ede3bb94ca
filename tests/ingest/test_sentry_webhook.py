"""What Sentry's webhooks say, against what was written down about them by eye."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from matchers.event import Event
from service.ingest.base import InvalidEventError, Parsed
from service.ingest.sentry_webhook import is_genuine, parse, parse_legacy
from tests.ingest.captured import DATA, REQUEST

CASES: list[dict[str, Any]] = yaml.safe_load(Path(DATA, "sentry_hooks.yaml").read_text())
SECRET, BODY = "the client secret", b'{"action": "created"}'
PLAIN = (
    *("platform", "level", "environment", "release", "logger", "transaction", "message"),
    "web_url",
)


def read(case: dict[str, Any]) -> Parsed:
    body, resource = json.dumps(case["body"]).encode(), case["resource"]
    if resource is None:
        return parse_legacy(body, REQUEST)
    headers = {"sentry-hook-resource": resource}
    return parse(body, msgspec.structs.replace(REQUEST, headers=headers))


def written(event: Event, expected: dict[str, Any]) -> dict[str, Any]:
    """In the words of sentry_hooks.yaml."""
    told = {name: getattr(event, name) for name in PLAIN if getattr(event, name) is not None}
    told["project"] = event.project
    told["exceptions"] = [
        [error.type, error.value, [frame.filename for frame in error.frames]]
        for error in event.exceptions
    ]
    return told | ({"id": event.event_id} if "id" in expected else {})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_webhook_says_what_was_written_down(case: dict[str, Any]) -> None:
    parsed, expected = read(case), case["expected"]
    assert [written(event, expected) for event in parsed.events] == ([expected] if expected else [])
    assert parsed.dropped == ({} if expected else {case["resource"]: 1})


@pytest.mark.parametrize(
    "case", [one for one in CASES if one["expected"]], ids=lambda one: one["name"]
)
def test_what_comes_again_has_the_same_id(case: dict[str, Any]) -> None:
    assert read(case).events[0].event_id == read(case).events[0].event_id


@pytest.mark.parametrize(
    "body", [b'{"data": {"event": {"tags": [["a", "b"]]}}}', b'{"data":{"error":{"level":"info"}}}']
)
def test_an_event_that_says_nothing_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidEventError, match="neither"):
        parse(body, REQUEST)


def test_only_the_right_signature_is_genuine() -> None:
    # from `printf '{"action": "created"}' | openssl dgst -sha256 -hmac 'the client secret'`
    right = "8b4d2dd2d2fe4f62f83bd2f1a8ba1ed0783195d6c2c3fc086b270b36c4827d5d"
    assert is_genuine({"sentry-hook-signature": right}, BODY, SECRET)
    assert is_genuine({"sentry-app-signature": right}, BODY, SECRET)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sentry-hook-signature": ""},
        {"sentry-hook-signature": "é"},
        {"sentry-hook-signature": "a" * 64},
    ],
)
def test_any_other_signature_is_not(headers: dict[str, str]) -> None:
    assert not is_genuine(headers, BODY, SECRET)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "event",
                    "issue",
                    "project",
                    "metadata",
                    "id",
                    "tags",
                    "exception",
                    "values",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.booleans())
def test_no_body_raises_anything_else(tree: Any, older: bool) -> None:
    body = json.dumps({"action": "created", "data": tree, "event": tree}).encode()
    with suppress(InvalidEventError):
        (parse_legacy if older else parse)(body, REQUEST)
