"""A silence in a process of its own that is killed: it holds, and every event it hid is counted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.running import Load, a_service, spilled_in
from tests.test_story import rules_for

SHOP = rules_for(payments="http://127.0.0.1:9/", search="http://127.0.0.1:9/")


def test_a_silence_outlives_kill_9_and_its_count_is_what_it_hid(tmp_path: Path) -> None:
    with a_service(tmp_path, SHOP) as service:
        ends_at = datetime.now(UTC) + timedelta(hours=1)
        asked = {
            "matchers": [{"name": "exception", "value": r"Spill\d+Error", "isRegex": True}],
            "endsAt": ends_at.isoformat(),
            "createdBy": "ada",
            "comment": "the floor is wet",
        }
        made = httpx.post(f"{service.url}/api/v1/silences", json=asked, trust_env=False)
        load = Load(service.port, aisles=4)
        with load.from_clients(4):
            for _ in range(3):
                load.wait_for_more(100)
                service.kill()
                service.start()
            load.wait_for_more(100)
        (silence,) = service.read("/api/v1/silences")["silences"]
        books = service.read("/api/v1/accounting")
        ended = httpx.delete(f"{service.url}/api/v1/silences/{silence['id']}", trust_env=False)
        service.post(spilled_in(0)[1])
        after = service.read("/api/v1/accounting")
    assert (made.status_code, load.refused, books["unaccounted"], books["queued"]) == (
        200,
        [],
        0,
        0,
    )
    assert books["outcomes"] == {"silenced": silence["hidden"]}
    assert load.answered.total() <= silence["hidden"] <= load.sent.total()
    assert (ended.status_code, after["outcomes"]["notified"], after["unaccounted"]) == (200, 1, 0)
