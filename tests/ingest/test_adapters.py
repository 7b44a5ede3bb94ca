"""What every adapter promises, asked of each in the table."""

import msgspec
import pytest

from service.ingest import ADAPTERS
from service.ingest.base import Adapter, Handled, InvalidEventError, Parsed
from tests.ingest.captured import REQUEST

HANDLED = Handled(id="0" * 32, group="g", owner="payments", step="frame")


each_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)


@each_adapter
@pytest.mark.parametrize("body", [b"", b"\0", b"{", b"\xff" * 9, b"[" * 100_000])
def test_what_cannot_be_read_is_refused(adapter: Adapter, body: bytes) -> None:
    with pytest.raises(InvalidEventError):
        adapter.parse(body, REQUEST)


@each_adapter
def test_no_refusal_repeats_what_was_sent(adapter: Adapter) -> None:
    with pytest.raises(InvalidEventError) as caught:
        adapter.parse(b'{"password": "hunter2", hunter2', REQUEST)
    assert "hunter2" not in str(caught.value)


@each_adapter
@pytest.mark.parametrize("handled", [(), (HANDLED,)])
def test_an_answer_is_2xx_with_json(adapter: Adapter, handled: tuple[Handled, ...]) -> None:
    answer = adapter.reply(Parsed(), handled, REQUEST)
    assert answer.status // 100 == 2
    assert isinstance(answer.body, bytes) or msgspec.json.encode(answer.body)


@each_adapter
@pytest.mark.parametrize("status", [400, 403, 404, 413, 415, 503])
def test_a_refusal_says_why(adapter: Adapter, status: int) -> None:
    answer = adapter.refuse(status, "the reason", REQUEST)
    assert answer.status == status
    assert b"the reason" in msgspec.json.encode(answer.body)
    assert all(value.isprintable() for value in answer.headers.values())


@each_adapter
def test_what_a_sender_is_asked_to_keep_are_never_errors(adapter: Adapter) -> None:
    limits = adapter.reply(Parsed(), (HANDLED,), REQUEST).headers.get("X-Sentry-Rate-Limits", "")
    assert not {"error", "default"} & set(limits.replace(":", ";").split(";"))


def test_each_name_and_path_stands_once() -> None:
    names = [adapter.name for adapter in ADAPTERS]
    paths = [path for adapter in ADAPTERS for path in adapter.paths]
    assert len({*names, *paths}) == len(names) + len(paths)
