"""What of an event's context is read: only what the rules file makes visible."""

import json
import time
from typing import Any

import pytest

from matchers.visible import Visible
from service.ingest.base import Request
from service.ingest.context import visible_of
from service.ingest.native import parse
from tests.builders import NOW


def read(event: dict[str, Any], *visible: str) -> dict[str, str]:
    request = Request(
        content_type="application/json", project="1", received_at=NOW, visible=Visible(visible)
    )
    return parse(json.dumps({"message": "x", **event}).encode(), request).events[0].context


ORDER = {"extra": {"order": {"id": 7, "lines": [1, True]}, "note": None}}
REQUEST = {
    "request": {
        "method": "POST",
        "headers": [["X-Request-Id", "r1"], ["Host", "h"]],
        "cookies": "theme=dark; lang=nl",
        "query_string": "?page=2&q=a%20b",
        "data": {"a": 1},
    }
}


@pytest.mark.parametrize(
    ("event", "visible", "context"),
    [
        (ORDER, ["extra.order.id"], {"extra.order.id": "7"}),
        (ORDER, ["extra.order"], {}),
        (
            ORDER,
            ["EXTRA.ORDER.LINES.?"],
            {"extra.order.lines.0": "1", "extra.order.lines.1": "True"},
        ),
        (ORDER, ["user.*"], {}),
        (REQUEST, ["request.headers.x-*"], {"request.headers.X-Request-Id": "r1"}),
        (REQUEST, ["request.cookies.l*"], {"request.cookies.lang": "nl"}),
        (REQUEST, ["request.query.q"], {"request.query.q": "a b"}),
        (
            REQUEST,
            ["request.data.a", "request.method"],
            {"request.method": "POST", "request.data.a": "1"},
        ),
        ({"breadcrumbs": [{"message": "m"}]}, ["breadcrumbs.*"], {"breadcrumbs.0.message": "m"}),
        ({"contexts": {"os": {"name": "Linux"}}}, ["contexts.os.*"], {"contexts.os.name": "Linux"}),
    ],
)
def test_a_visible_value_is_read_by_its_dotted_name(
    event: dict[str, Any], visible: list[str], context: dict[str, str]
) -> None:
    assert read(event, *visible) == context


def test_of_variables_those_nearest_the_raise_are_read() -> None:
    frames = [
        {"filename": "a.py", "vars": {"n": "far", "only": "here"}},
        {"filename": "b.py", "vars": {"n": "near"}},
        {"filename": "site-packages/c.py", "in_app": False, "vars": {"n": "theirs"}},
    ]
    chain = [{"frames": frames}, {"frames": [{"filename": "d.py", "vars": {"n": "wrapper"}}]}]
    assert read({"exceptions": chain}, "vars.*") == {"vars.n": "near", "vars.only": "here"}


@pytest.mark.parametrize("tree", [None, 7, "x", [], [[]], [None], {"a": None}, {"values": 7}])
def test_whatever_stands_there_does_no_harm(tree: Any) -> None:
    event = dict.fromkeys(("extra", "user", "contexts", "request", "breadcrumbs", "vars"), tree)
    event["request"] = {"headers": tree, "cookies": tree, "query_string": tree, "data": tree}
    event["exceptions"] = [{"type": "E", "frames": [{"filename": "a.py", "vars": tree}]}]
    read(event, *(f"{word}.*" for word in ("extra", "user", "request", "breadcrumbs", "vars")))


def test_an_event_that_has_to_be_mended_has_its_context_too() -> None:
    assert read({"exception": [None], **ORDER}, "extra.order.id") == {"extra.order.id": "7"}


def test_a_name_that_no_database_takes_is_cleaned() -> None:
    body = b'{"message": "x", "extra": {"\\ud800": "\\ud800", "\\u0000": 1}}'
    request = Request(content_type="", project="1", received_at=NOW, visible=Visible(["extra.*"]))
    context = parse(body, request).events[0].context
    assert context == {"extra.\ufffd": "1"}  # both names are that now, and the last counts


def test_much_is_cut() -> None:
    shown = Visible(["extra.*"])
    deep: Any = "x"
    for _ in range(1000):
        deep = {"d": deep}
    assert len(visible_of({"extra": dict.fromkeys(map(str, range(500)), "v")}, shown)) == 100
    assert visible_of({"extra": {"a": "x" * 9000}}, shown) == {"extra.a": "x" * 500}
    assert visible_of({"extra": {"deep": deep, "k" * 300: "x"}}, shown) == {}


def test_a_hostile_tree_costs_little() -> None:
    tree = {"extra": {str(at): {"x": at} for at in range(300_000)}}
    started = time.process_time()
    assert visible_of(tree, Visible(["extra.nothing.*"])) == {}
    assert time.process_time() - started < 1
