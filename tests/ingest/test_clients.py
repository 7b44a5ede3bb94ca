"""Rollbar's, Bugsnag's, Honeybadger's and Airbrake's words in ours, and what is forgiven them."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.event import Event, Frame
from service.ingest import airbrake, bugsnag, honeybadger, rollbar
from service.ingest.base import Adapter, Answer, Handled, InvalidEventError, Parsed, Problem
from service.ingest.limits import EXCEPTIONS, FRAMES
from service.ingest.translation import frame, platform_of
from tests.ingest.captured import REQUEST

CLIENTS = (rollbar.ADAPTER, bugsnag.ADAPTER, honeybadger.ADAPTER, airbrake.ADAPTER)
HANDLED = Handled(id="0" * 32, group="cafe", owner="payments", step="frame")
CRASH = "Incident Identifier: 7\nException Type:  EXC_CRASH (SIGABRT)\nException Codes: 0"

each_client = pytest.mark.parametrize("adapter", CLIENTS, ids=lambda adapter: adapter.name)


def parsed(adapter: Adapter, tree: Any) -> Parsed:
    return adapter.parse(json.dumps(tree).encode(), REQUEST)


def report(adapter: Adapter, frames: Any, causes: tuple[Any, ...] = (), **more: Any) -> Any:
    """One exception E, as each client would send it, and its causes, the outermost first."""
    chain = [("E", frames), *(("Cause", stack) for stack in causes)]
    match adapter.name:
        case "rollbar":
            traces = [{"exception": {"class": name}, "frames": stack} for name, stack in chain]
            return {"data": {"body": {"trace_chain": traces}, **more}}
        case "bugsnag":
            errors = [{"errorClass": name, "stacktrace": stack} for name, stack in chain]
            return {"events": [{"exceptions": errors, **more}]}
        case "honeybadger":
            first, *inner = ({"class": name, "backtrace": stack} for name, stack in chain)
            return {"error": {**first, "causes": inner, **more.pop("error", {})}, **more}
        case _:
            errors = [{"type": name, "backtrace": stack} for name, stack in chain]
            return {"errors": errors, "context": more}


def event(adapter: Adapter, **more: Any) -> Event:
    (found,) = parsed(adapter, report(adapter, [], **more)).events
    return found


ROLLBAR = [
    ({"level": "critical"}, "level", "fatal"),
    ({"level": "warning"}, "level", "warning"),
    ({"code_version": "7"}, "release", "7"),
    ({"server": {"code_version": "8"}}, "release", "8"),
    ({"context": "carts#show"}, "transaction", "carts#show"),
    ({"request": {"url": "https://u:p@h/a?b=c"}}, "url", "https://h/a"),
    ({"fingerprint": "same"}, "fingerprint", ("same",)),
    ({"title": "a title"}, "message", "a title"),
    ({"custom": {"owner": "x"}, "person": {"id": "7"}}, "tags", {}),
    ({"language": "javascript", "framework": "node-js"}, "platform", "node"),
    ({"body": {"message": {"body": "hi"}}}, "message", "hi"),
    ({"body": {"message": {"body": "hi"}}}, "exceptions", ()),
]
BUGSNAG = [
    ({"severity": "info"}, "level", "info"),
    ({"app": {"version": 3, "releaseStage": "staging"}}, "release", "3"),
    ({"app": {"releaseStage": "staging"}, "releaseStage": "old"}, "environment", "staging"),
    ({"context": "GET /x"}, "transaction", "GET /x"),
    ({"groupingHash": "g"}, "fingerprint", ("g",)),
    ({"device": {"hostname": "h1"}}, "server_name", "h1"),
    ({"correlation": {"traceId": "abc"}}, "trace_id", "abc"),
    ({"request": {"url": "http://h/p?q"}}, "url", "http://h/p"),
    ({"metaData": {"owner": "x"}, "user": {"id": 1}}, "tags", {}),
]
HONEYBADGER = [
    (
        {"error": {"tags": ["fast", "team: web", "", 5, {}]}},
        "tags",
        {"fast": "true", "team": "web", "5": "true"},
    ),
    ({"error": {"tags": "fast"}}, "tags", {}),
    ({"error": {"fingerprint": "g"}}, "fingerprint", ("g",)),
    ({"request": {"component": "Carts", "action": "show"}}, "transaction", "Carts#show"),
    ({"request": {"component": None, "action": "show"}}, "transaction", "show"),
    ({"request": {"url": "http://h/p?q", "params": {"a": 1}}}, "url", "http://h/p"),
    ({"server": {"revision": "abc"}}, "release", "abc"),
    ({"notifier": {"name": "honeybadger-ruby"}}, "platform", "ruby"),
]
AIRBRAKE = [
    ({"severity": "emergency"}, "level", "fatal"),
    ({"severity": "notice"}, "level", "info"),
    ({"severity": "critical"}, "level", "fatal"),
    ({"severity": None}, "level", "error"),
    ({"version": "7", "revision": "abc"}, "release", "7"),
    ({"revision": "abc"}, "release", "abc"),
    ({"component": "carts", "action": "show"}, "transaction", "carts#show"),
    ({"url": "http://h/p#f"}, "url", "http://h/p"),
    ({"user": {"id": 1}}, "tags", {}),
]


@pytest.mark.parametrize(
    ("adapter", "more", "field", "value"),
    [
        (adapter, *case)
        for adapter, cases in zip(CLIENTS, (ROLLBAR, BUGSNAG, HONEYBADGER, AIRBRAKE), strict=True)
        for case in cases
    ],
    ids=lambda one: one.name if isinstance(one, Adapter) else str(one),
)
def test_a_field_is_what_its_vendor_calls_otherwise(
    adapter: Adapter, more: Any, field: str, value: object
) -> None:
    assert getattr(event(adapter, **more), field) == value


PLACES = [
    # file, root → filename, abs_path, in_app
    ("[PROJECT_ROOT]/a/b.rb", "/srv/app", "a/b.rb", "/srv/app/a/b.rb", None),
    ("/PROJECT_ROOT/a/b.py", "/srv/app/", "a/b.py", "/srv/app/a/b.py", None),
    ("/PROJECT_ROOT/a/b.py", None, "a/b.py", None, None),
    ("[GEM_ROOT]/gems/x/y.rb", "/srv/app", "gems/x/y.rb", None, False),
    ("/GEM_ROOT/gems/x/y.rb", "/srv/app", "gems/x/y.rb", None, False),
    ("/SITE_PACKAGES/django/y.py", "/srv/app", "django/y.py", None, False),
    ("/srv/app/a.py", "/srv/app", "a.py", "/srv/app/a.py", None),
    ("/srv/application/a.py", "/srv/app", None, "/srv/application/a.py", None),
    ("C:\\app\\a\\b.py", "C:\\app", "a\\b.py", "C:\\app\\a\\b.py", None),
    ("https://h/js/a.js", "https://h/", "js/a.js", "https://h/js/a.js", None),
    ("https://h/js/a.js", "/srv/app", "https://h/js/a.js", None, None),
    ("a/b.py", "/srv/app", "a/b.py", "/srv/app/a/b.py", None),
    ("a/b.py", "not a root", "a/b.py", None, None),
    ("a/b.py", ["/srv"], "a/b.py", None, None),
    ("a/b.py", "/" + "r" * 600, "a/b.py", None, None),
    ("node:fs", "/srv/app", "node:fs", None, None),
    ("<anonymous>", "/srv/app", "<anonymous>", None, None),
    ("Tax.java", "/srv/app", "Tax.java", None, None),
    (None, "/srv/app", None, None, None),
    ({}, {}, None, None, None),
]


@pytest.mark.parametrize(("file", "root", "filename", "abs_path", "in_app"), PLACES, ids=str)
def test_a_file_is_named_below_the_projects_root(
    file: object, root: object, filename: object, abs_path: object, in_app: object
) -> None:
    told = frame(file, root, "f")
    assert (told.get("filename") or None, told.get("abs_path"), told.get("in_app")) == (
        filename,
        abs_path,
        in_app,
    )


@pytest.mark.parametrize(
    ("said", "platform"),
    [
        (["Honeybadger for Python"], "python"),
        (["airbrake-js/node", "JavaScript"], "node"),
        (["airbrake-js/browser", "JavaScript"], "javascript"),
        (["browserjs"], "javascript"),
        (["python 3.11.7", None], "python"),
        (["java"], "java"),
        (["go1.22.1"], "go"),
        (["google cloud"], None),
        ([None, 5, {}], None),
    ],
)
def test_a_platform_is_guessed_from_what_a_client_says(said: list[Any], platform: str) -> None:
    assert platform_of(*said) == platform


@each_client
def test_the_cause_comes_before_what_it_caused(adapter: Adapter) -> None:
    (found,) = parsed(adapter, report(adapter, [], ([], []))).events
    assert [(one.type, one.source) for one in found.exceptions] == [
        ("Cause", "__cause__"),
        ("Cause", "__cause__"),
        ("E", None),
    ]


def frames_of(adapter: Adapter, *frames: Any) -> tuple[Frame, ...]:
    return parsed(adapter, report(adapter, list(frames))).events[0].exceptions[0].frames


def test_a_frame_of_rollbars() -> None:
    sent = {"filename": "a.py", "lineno": "7", "colno": 2, "method": "f", "code": "x()"}
    told = Frame(filename="a.py", lineno=7, colno=2, function="f", context_line="x()")
    assert frames_of(rollbar.ADAPTER, {"filename": "b.py"}, sent) == (Frame(filename="b.py"), told)


def test_a_frame_of_bugsnags() -> None:
    sent = {"file": "a.py", "lineNumber": 7, "columnNumber": 2, "method": "f", "inProject": True}
    code = {"code": {"6": "y()", "7": "x()"}}
    told = Frame(filename="a.py", lineno=7, colno=2, function="f", in_app=True, context_line="x()")
    assert frames_of(bugsnag.ADAPTER, sent | code, {"file": "b.py"}) == (
        Frame(filename="b.py"),
        told,
    )


def test_a_frame_of_honeybadgers() -> None:
    sent = {"file": "[GEM_ROOT]/a.rb", "number": "7", "method": "f", "source": {"7": "x"}}
    told = Frame(filename="a.rb", lineno=7, function="f", in_app=False, context_line="x")
    assert frames_of(honeybadger.ADAPTER, sent, {"file": "b.ex", "context": "app"}) == (
        Frame(filename="b.ex", in_app=True),
        told,
    )


def test_a_frame_of_airbrakes() -> None:
    sent = {"file": "a.py", "line": 7, "column": 2, "function": "f", "code": {"7": "x"}}
    told = Frame(filename="a.py", lineno=7, colno=2, function="f", context_line="x")
    assert frames_of(airbrake.ADAPTER, sent, {"file": "b"}) == (Frame(filename="b"), told)


def test_a_jvm_frame_has_its_class() -> None:
    sent = {"file": "Tax.java", "lineNumber": 7, "method": "com.shop.Tax.rate"}
    (told,) = frames_of(bugsnag.ADAPTER, sent)
    assert (told.module, told.function, told.filename) == ("com.shop.Tax", "rate", "Tax.java")


@pytest.mark.parametrize(
    ("name", "module", "kind"),
    [
        ("shop.db.DatabaseError", "shop.db", "DatabaseError"),
        ("Shop::DatabaseError", None, "Shop::DatabaseError"),
        ("*errors.errorString", None, "*errors.errorString"),
        ("E", None, "E"),
    ],
)
def test_a_dotted_name_is_a_module_and_a_type(name: str, module: str | None, kind: str) -> None:
    tree = {"events": [{"exceptions": [{"errorClass": name}]}]}
    (found,) = parsed(bugsnag.ADAPTER, tree).events[0].exceptions
    assert (found.module, found.type) == (module, kind)


@pytest.mark.parametrize(("unhandled", "handled"), [(True, False), (False, True), ("no", None)])
def test_unhandled_is_said_of_the_thrown_exception(unhandled: object, handled: object) -> None:
    tree = report(bugsnag.ADAPTER, [], ([],), unhandled=unhandled)
    found = parsed(bugsnag.ADAPTER, tree).events[0].exceptions
    assert [one.handled for one in found] == [None, handled]


def test_a_lone_trace_is_an_exception() -> None:
    tree = {"data": {"body": {"trace": {"exception": {"class": "E", "message": "m"}}}}}
    (found,) = parsed(rollbar.ADAPTER, tree).events[0].exceptions
    assert (found.type, found.value) == ("E", "m")


@pytest.mark.parametrize(
    ("raw", "kind"), [(CRASH, "EXC_CRASH (SIGABRT)"), ("no idea", "crash report")]
)
def test_of_a_crash_report_the_type_is_kept(raw: str, kind: str) -> None:
    tree = {"data": {"body": {"crash_report": {"raw": raw}}}}
    (found,) = parsed(rollbar.ADAPTER, tree).events[0].exceptions
    assert (found.type, found.frames) == (kind, ())


def test_every_event_of_a_report_is_one() -> None:
    good = {"exceptions": [{"errorClass": "E"}]}
    found = parsed(bugsnag.ADAPTER, {"events": [good, {}, 5, good]})
    assert [one.exceptions[0].type for one in found.events] == ["E", "E"]
    said = {"code": "empty_event", "detail": "neither an exception nor a message"}
    assert found.problems == (Problem(index=1, **said), Problem(index=2, **said))


def test_a_report_has_at_most_a_hundred_events() -> None:
    with pytest.raises(InvalidEventError, match="at most 100"):
        parsed(bugsnag.ADAPTER, {"events": [{}] * 101})


@each_client
@pytest.mark.parametrize("bad", [None, 5, "x", [], {"lineno": [], "file": {}}, {"line": "seven"}])
def test_one_bad_frame_never_loses_an_event(adapter: Adapter, bad: Any) -> None:
    kept = frames_of(adapter, bad, {"filename": "a.py", "file": "a.py"})
    assert "a.py" in [frame.filename for frame in kept]


@each_client
def test_a_deep_stack_is_cut_from_its_middle(adapter: Adapter) -> None:
    frames = [{"filename": f"{number}.py", "file": f"{number}.py"} for number in range(FRAMES + 9)]
    kept = {frame.filename for frame in frames_of(adapter, *frames)}
    assert (len(kept), {"0.py", f"{FRAMES + 8}.py"} <= kept) == (FRAMES, True)


@each_client
def test_a_long_chain_is_cut_from_its_middle(adapter: Adapter) -> None:
    (found,) = parsed(adapter, report(adapter, [], ([],) * 200)).events
    assert (len(found.exceptions), found.exceptions[-1].type) == (EXCEPTIONS, "E")


@each_client
@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"data": 5, "events": "x", "error": [], "errors": None},
        {"data": {"body": {}}, "events": [], "error": {}, "errors": []},
        {"data": {"body": {"telemetry": [{}]}}, "events": [{}], "error": {"causes": []}},
    ],
    ids=str,
)
def test_a_report_of_nothing_is_refused(adapter: Adapter, tree: Any) -> None:
    with pytest.raises(InvalidEventError) as caught:
        parsed(adapter, tree)
    assert caught.value.code == "empty_event"


@pytest.mark.parametrize(
    ("adapter", "named"), [(rollbar.ADAPTER, "access_token"), (bugsnag.ADAPTER, "apiKey")]
)
def test_the_key_may_stand_in_the_body(adapter: Adapter, named: str) -> None:
    found = parsed(adapter, report(adapter, []) | {named: "k"})
    assert (adapter.keyed_body, found.key) == (True, "k")


ANSWERS = {
    "rollbar": Answer(200, {"err": 0, "result": {"id": None, "uuid": "0" * 32}}),
    "bugsnag": Answer(200, b"OK", {"Content-Type": "text/plain"}),
    "honeybadger": Answer(201, {"id": "0" * 32}),
    "airbrake": Answer(201, {"id": "0" * 32, "url": "/groups/cafe"}),
}
REFUSALS: dict[str, Any] = {
    "rollbar": {"err": 1, "message": "why"},
    "bugsnag": {"errors": ["why"]},
    "honeybadger": {"error": "why"},
    "airbrake": {"message": "why"},
}


@each_client
def test_each_is_answered_as_its_vendor_does(adapter: Adapter) -> None:
    assert adapter.reply(Parsed(), (HANDLED,), REQUEST) == ANSWERS[adapter.name]
    assert adapter.refuse(403, "why", REQUEST) == Answer(403, REFUSALS[adapter.name])


WORDS = (
    *("data", "body", "trace", "trace_chain", "frames", "exception", "class", "message", "server"),
    *("root", "request", "url", "uuid", "level", "events", "exceptions", "errorClass", "device"),
    *("stacktrace", "file", "lineNumber", "code", "7", "projectRoot", "app", "unhandled", "error"),
    *("backtrace", "causes", "tags", "number", "source", "project_root", "errors", "context"),
    *("type", "line", "component", "action", "fingerprint", "crash_report", "raw", "time"),
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner),
    max_leaves=30,
)


@each_client
@given(tree=TREES, stack=st.lists(TREES, max_size=3))
def test_no_tree_raises_anything_else(adapter: Adapter, tree: Any, stack: Any) -> None:
    for sent in (tree, report(adapter, stack, (tree,)), report(adapter, tree, error={}, app=tree)):
        with suppress(InvalidEventError):
            assert all(isinstance(one, Event) for one in parsed(adapter, sent).events)


@each_client
@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(adapter: Adapter, body: bytes) -> None:
    with suppress(InvalidEventError):
        adapter.parse(body, REQUEST)
