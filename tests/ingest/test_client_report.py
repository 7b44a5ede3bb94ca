"""How many errors an SDK says it lost, whatever it says."""

import json

import pytest

from service.ingest.client_report import MOST, discarded, errors_lost


def report(*rows: tuple[object, object, object]) -> bytes:
    names = ("reason", "category", "quantity")
    events = [dict(zip(names, row, strict=True)) for row in rows]
    return json.dumps({"timestamp": 1, "discarded_events": events}).encode()


COUNTED = [
    (report(), {}),
    (report(("queue_overflow", "error", 3)), {("queue_overflow", "error"): 3}),
    (report(("send_error", "error", 1), ("send_error", "error", 2)), {("send_error", "error"): 3}),
    (report(("x" * 99, "error", 1)), {("other", "error"): 1}),
    (report(("send_error", "x", 1), ("send_error", "y", 1)), {("send_error", "other"): 2}),
    (report((None, 5, 1)), {("other", "other"): 1}),
    (report(("send_error", "error", -4)), {}),
    (report(("send_error", "error", 0)), {}),
    (report(("send_error", "error", 2**62)), {("send_error", "error"): MOST}),
    (report(*[("send_error", "error", MOST)] * 5), {("send_error", "error"): MOST}),
    (report(("send_error", "error", "many")), {}),
    (b"", {}),
    (b"[]", {}),
    (b"{}", {}),
    (b'{"discarded_events": null}', {}),
    (b"[" * 50_000, {}),
    (b'{"discarded_events": [' + b"{}," * 50_000 + b"{}]}", {}),
]


@pytest.mark.parametrize(("payload", "counted"), COUNTED, ids=range(len(COUNTED)))
def test_a_report_is_counted_in_words_that_are_known(
    payload: bytes, counted: dict[tuple[str, str], int]
) -> None:
    assert discarded(payload) == counted


def test_what_was_dropped_on_purpose_is_not_lost() -> None:
    told = report(
        ("before_send", "error", 1),
        ("sample_rate", "error", 2),
        ("network_error", "error", 4),
        ("network_error", "transaction", 8),
        ("made_up", "error", 16),
    )
    assert errors_lost(discarded(told)) == 20
