"""What masking costs: one text that nothing is remembered of, and one whole event."""

import timeit
from collections.abc import Callable
from datetime import UTC, datetime

from matchers.event import Event, ExceptionValue, Frame
from service import scrub
from service.masking import mask

CLEAN = (
    "could not serialize access due to concurrent update in server/app/billing/tax.py while the "
    "worker was handling job 1234 of the queue for region eu-west-1; it was given back and will "
    "be tried again"
)
KEYED = 'duplicate key value violates unique constraint "orders_pkey" Key (id)=(5) already exists.'
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FRAMES = tuple(
    Frame(filename=f"app/f{at}.py", lineno=at, context_line=f"    total = rate({at}) * amount")
    for at in range(40)
)
EVENT = Event(
    event_id="e" * 32,
    timestamp=NOW,
    received_at=NOW,
    environment="production",
    transaction="/checkout/pay",
    tags={f"tag{at}": "value" for at in range(10)} | {"runtime": "CPython 3.11"},
    exceptions=(ExceptionValue(type="OperationalError", value=CLEAN, frames=FRAMES),),
)


def main() -> None:
    cases: dict[str, Callable[[], object]] = {
        f"clean text, {len(CLEAN)} characters": lambda: scrub.fresh(CLEAN),
        f"text with a key, {len(KEYED)} characters": lambda: scrub.fresh(KEYED),
        "text seen before": lambda: scrub.scrub(CLEAN),
        "event of 40 frames, 11 tags": lambda: mask(EVENT, None),
    }
    for name, run in cases.items():
        seconds = min(timeit.repeat(run, number=2_000, repeat=7)) / 2_000
        print(f"{name:<36} {seconds * 1e6:7.2f} µs")


if __name__ == "__main__":
    main()
