"""What one client brought, as the service's own API tells it; and what of it is not as expected."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.clients.table import Client
from tests.clients.tap import Request, Tap
from tests.running import Service, wait_for

DROPPED = "pointsman_items_dropped_total"
HELD_BACK = (  # a log's bytes are counted beside the log
    'pointsman_client_discarded_events_total{category="(?!log_byte)[^"]*",reason="ratelimit_backoff"'
)


class Arrived(NamedTuple):
    trouble: str  # what the program said when it failed
    requests: list[Request]
    groups: list[dict[str, Any]]  # with the newest event and its decision
    books: dict[str, Any]
    dropped: int  # items that are no error
    held_back: int  # what the client says it kept to itself, as it was asked to


def arrived(service: Service, tap: Tap, trouble: str) -> Arrived:
    try:
        wait_for(service.groups)
    except AssertionError:
        trouble = trouble or "no error arrived"
    metrics = service.text("/metrics")
    return Arrived(
        trouble=trouble,
        requests=tap.requests(),
        groups=[service.read(f"/api/v1/groups/{one['id']}") for one in service.groups().values()],
        books=service.settled_books(),
        dropped=_total(metrics, DROPPED),
        held_back=_total(metrics, HELD_BACK),
    )


def wrong(client: Client, came: Arrived) -> list[str]:
    if came.trouble or len(came.groups) != 1:
        return [came.trouble or f"{len(came.groups)} groups instead of one"]
    refused = [f"{one.path} answered {one.status}" for one in came.requests if one.status >= 300]
    return [*refused, *_unlike(_expected(client), _seen(client, came))]


def deciding(came: Arrived) -> str:
    frame = came.groups[0]["ownership"]["frame"]
    return f"{frame['path']}:{frame['lineno']}" if frame else ""


def exceptions(came: Arrived) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = came.groups[0]["event"]["exceptions"]
    return found


def _expected(client: Client) -> dict[str, object]:
    return {
        "exceptions": list(client.exceptions),
        "owner": [client.owner],
        "step": client.step,
        "frame": client.frame,
        "posts": [(path, client.coding) for path in sorted(client.posts)],
        "accepted": len(client.posts),
        "duplicates": len(client.posts) - 1,
        "unaccounted": 0,
        "others": client.others,
    }


def _seen(client: Client, came: Arrived) -> dict[str, object]:
    decision, books = came.groups[0]["ownership"], came.books
    posts = {(one.path, one.coding) for one in came.requests if one.path in client.posts}
    return {
        "exceptions": [one["type"] for one in exceptions(came)],
        "owner": decision["owners"],
        "step": decision["step"],
        "frame": deciding(came),
        "posts": sorted(posts),
        "accepted": books["accepted"],
        "duplicates": books["outcomes"].get("duplicate", 0),
        "unaccounted": books["unaccounted"],
        "others": came.dropped > 0,
    }


def _unlike(expected: Mapping[str, object], seen: Mapping[str, object]) -> Iterator[str]:
    for name, value in expected.items():
        if seen[name] != value:
            yield f"{name}: {seen[name]} instead of {value}"


def _total(metrics: str, series: str) -> int:
    return sum(int(float(n)) for n in re.findall(rf"^{series}.* (\S+)$", metrics, re.MULTILINE))
