"""The bodies of benchmarks/hostile.py: bombs, lies, depths, and a million of anything."""

import base64
import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import brotli  # type: ignore[import-untyped]  # it ships none
import zstandard

from service.ingest.limits import BODY, MIB

DOOR, STORE, NATIVE = "/api/1/envelope/", "/api/1/store/", "/api/v1/events"
ITEM, AIRBRAKE, OLD_HOOK = "/api/1/item/", "/api/v3/projects/1/notices", "/hooks/sentry-legacy"
PROTOBUF_GROUP = b"\x0a\x04\x12\x02\x12\x00"  # a group of one scope of one empty member
EVENT = b'{"message": "ordinary", "platform": "python"}'
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda body: bytes(brotli.compress(body, quality=4)),
    "zstd": lambda body: zstandard.compress(body),
}


class Hostile(NamedTuple):
    name: str
    path: str
    body: bytes
    statuses: tuple[int, ...]
    encoding: str = "identity"
    kind: str = "application/json"


def envelope(*events: bytes, kind: str = "event") -> bytes:
    items = (b'{"type":"%s","length":%d}\n%s' % (kind.encode(), len(one), one) for one in events)
    return b"\n".join((b"{}", *items))


def filled(before: str, unit: str, behind: str, size: int = BODY - 4096) -> bytes:
    return (before + unit * (size // len(unit.encode())) + behind).encode()


def bodies() -> Iterator[Hostile]:
    yield from _bombs()
    yield from _lies()
    for name, event in _events():
        yield Hostile(name, DOOR, envelope(event), (200, 400))
        yield Hostile(f"{name}, natively", NATIVE, event, (202, 400, 413))
    yield from _many()
    yield from _vendors()
    yield from _otlp()
    yield from _api()


def _bombs() -> Iterator[Hostile]:
    full = envelope(filled('{"message":"', "x", '"}'))
    for name, pack in PACKERS.items():
        yield Hostile(f"{name}: a bomb", DOOR, pack(b"\0" * 8 * BODY), (413,), name)
        yield Hostile(f"{name}: filled to the brim", DOOR, pack(full), (200,), name)
        yield Hostile(f"{name}: cut short", DOOR, pack(full)[:-6], (400,), name)
        yield Hostile(f"{name}: no such thing", DOOR, b"\xff" * MIB, (400,), name)
    nothing = gzip.compress(b"") * (BODY // len(gzip.compress(b"")) + 1)
    yield Hostile("gzip: members without end", DOOR, nothing, (400,), "gzip")
    frames = zstandard.compress(b"") * (BODY // len(zstandard.compress(b"")) + 1)
    yield Hostile("zstd: frames without end", DOOR, frames, (400,), "zstd")
    inside = zlib.compress(b" " * 8 * BODY)
    yield Hostile("store: a bomb inside", STORE, inside, (413,))
    yield Hostile("store: a bomb inside base64", STORE, base64.b64encode(inside), (413,))
    yield Hostile("identity: too much", DOOR, b"x" * (BODY + 1), (413,))


def _lies() -> Iterator[Hostile]:
    yield Hostile("an item longer than its envelope", DOOR, _item(b"9" * 9, EVENT), (400,))
    yield Hostile("an item longer than a number", DOOR, _item(b"9" * 5000, EVENT), (400,))
    yield Hostile("an item of negative length", DOOR, _item(b"-1", EVENT), (400,))
    yield Hostile("an item shorter than it is", DOOR, _item(b"1", EVENT), (400,))
    yield Hostile("a header line without end", DOOR, b"{" * (BODY - 1), (400,))
    yield Hostile("items without end", DOOR, b"{}\n" + b'{"type":"a"}\n\n' * MIB, (400,))


def _item(length: bytes, payload: bytes) -> bytes:
    return b'{}\n{"type":"event","length":%s}\n%s' % (length, payload)


def _events() -> Iterator[tuple[str, bytes]]:
    stack = '{"exception":[{"stacktrace":{"frames":['
    yield "a million empty frames", filled(stack, "{},", "{}]}}]}")
    yield "a million small frames", filled(stack, '{"function":"f"},', "{}]}}]}")
    wide = '{"function":"%s\U0001f600"},' % ("f" * 9000)
    yield "wide frames", filled(stack, wide, "{}]}}]}")
    yield "a million exceptions", filled('{"exception":[', '{"type":"E"},', "{}]}")
    yield "a million threads", filled('{"threads":[', "{},", "{}]}")
    numbered = ",".join(f'"t{n}":"v"' for n in range(1_000_000))
    yield "a million tags", f'{{"message":"m","tags":{{{numbered}}}}}'.encode()
    yield "a million pairs of tags", filled('{"message":"m","tags":[', '["a","b"],', "[]]}")
    yield "a million times one key", filled('{"message":"m"', ',"message":"n"', "}")
    yield "a fingerprint without end", filled('{"message":"m","fingerprint":[', '"a",', '"b"]}')
    yield "depths", filled('{"message":"m","extra":', "[", "")
    yield "closed depths", b'{"message":"m","extra":' + b"[" * 90_000 + b"]" * 90_000 + b"}"
    yield "a wide text", filled('{"message":"\U0001f600', "x", '"}')
    yield "an escaped text", filled('{"message":"', "\\ud83d\\ude00", '"}')
    yield "lone surrogates", filled('{"message":"', "\\ud800", '"}', MIB - 100)
    yield "not a number", filled('{"message":"m","extra":[', "NaN,", "NaN]}", MIB - 100)
    yield "a number without end", filled('{"message":"m","lineno":', "9", "}")
    yield "raw control characters", filled('{"message":"', "\0\1\2", '"}', MIB - 100)
    yield "no UTF-8", b'{"message":"' + b"\xff" * (MIB - 100) + b'"}'
    yield "lists to be mended", filled('{"message":"\\ud800","tags":[', "[],", "[]]}", MIB - 100)
    yield "frames to be mended", filled(f'{{"a":NaN,{stack[1:]}', "{},", "{}]}}]}", MIB - 100)


def _many() -> Iterator[Hostile]:
    frames = ",".join(['{"function":"f"}'] * 1000)
    event = f'{{"exception":[{{"type":"E","stacktrace":{{"frames":[{frames}]}}}}]}}'.encode()
    yield Hostile("events without end", DOOR, envelope(*[event] * 1000), (200,))
    yield Hostile("a batch of stacks", NATIVE, b"[" + b",".join([event] * 1000) + b"]", (202,))
    yield Hostile("a batch without end", NATIVE, filled("[", "1,", "1]"), (400,))
    yield Hostile("a report without end", DOOR, envelope(_report(), kind="client_report"), (200,))
    yield Hostile("a policy's report", "/api/1/security/", filled("[", "{},", "{}]"), (201,))
    text = filled("Traceback (most recent call last):\n", '  File "a.py", line 1, in f\n', "E: x")
    yield Hostile("a traceback without end", NATIVE, text, (202, 400))


def _vendors() -> Iterator[Hostile]:
    """Each where its frames, its exceptions and its personal data stand."""
    stack = '"class":"E","errorClass":"E","type":"E","exception":{"class":"E"},"%s":['
    small, wide = '{"file":"f","code":{"1":"x"}},', f'{{"file":"{"f" * 4000}\U0001f600"}},'
    for name, path, before, frames, behind, held, end in (
        ("rollbar", ITEM, '{"data":{"body":{"trace_chain":[{', "frames", "{}]}]}}}", "data", "}"),
        (
            "bugsnag",
            "/notify",
            '{"events":[{"exceptions":[{',
            "stacktrace",
            "{}]}]}]}",
            "events",
            "]",
        ),
        ("honeybadger", "/v1/notices/", '{"error":{', "backtrace", "{}]}}", "request", "}"),
        ("airbrake", AIRBRAKE, '{"errors":[{', "backtrace", "{}]}]}", "params", "}"),
        (
            "legacy",
            OLD_HOOK,
            '{"event":{"exception":[{"type":"E","stacktrace":{',
            "frames",
            "{}]}}]}}",
            "event",
            "}",
        ),
    ):
        stacked = before + (stack % frames if name != "legacy" else '"frames":[')
        anyhow = (200, 201, 400)
        yield Hostile(f"{name}: small frames", path, filled(stacked, small, behind), anyhow)
        yield Hostile(f"{name}: wide frames", path, filled(stacked, wide, behind), anyhow)
        yield Hostile(
            f"{name}: exceptions", path, filled(before, '"type":"E"},{', "}" + behind[5:]), anyhow
        )
        personal = filled(
            f'{{"{held}":' + ("[{" if end == "]" else "{"), '"k":{"a":[]},', "}" + end + "}"
        )
        yield Hostile(f"{name}: what is not read", path, personal, anyhow)
        yield Hostile(f"{name}: not a number", path, filled('{"a":[', "NaN,", "1]}"), anyhow)
        yield Hostile(f"{name}: lone surrogates", path, filled('{"a":"', "\\ud800", '"}'), anyhow)
        yield Hostile(f"{name}: depths", path, filled('{"a":', "[", ""), (400,))


def _otlp() -> Iterator[Hostile]:
    ok = (200, 400, 413)
    for name, path, group, scope, one in (
        ("logs", "/v1/logs", "resourceLogs", "scopeLogs", "logRecords"),
        ("traces", "/v1/traces", "resourceSpans", "scopeSpans", "spans"),
        ("metrics", "/v1/metrics", "resourceMetrics", "scopeMetrics", "metrics"),
    ):
        before = f'{{"{group}":[{{"{scope}":[{{"{one}":['
        yield Hostile(f"otlp {name}: members", path, filled(before, "{},", "{}]}]}]}"), ok)
        yield Hostile(f"otlp {name}: groups", path, filled(f'{{"{group}":[', "{},", "{}]}"), ok)
        packed = PROTOBUF_GROUP * (BODY // len(PROTOBUF_GROUP))
        yield Hostile(f"otlp {name}: protobuf", path, packed, ok, kind="application/x-protobuf")


def _api() -> Iterator[Hostile]:
    for name, event in _events():
        yield Hostile(f"explain: {name}", "/api/v1/explain", event, (200, 400, 413))
    path = "/api/v1/ownership"
    yield Hostile("paths without end", path, filled('{"paths":[', '"a",', '"b"]}'), (413,))
    for unit in ('"a",', "1,", '"aa",'):
        body = filled('{"paths":[', unit, "1]}", 2 * MIB - 100)
        yield Hostile(f"a body of paths: {unit}", path, body, (422,))
    maps = "/api/v1/artifacts?release=1&name=a.js"
    start = '{"version":3,"sources":["a"],"names":[],"mappings":"'
    yield Hostile("a map: segments", maps, filled(start, "AAAA,", 'AAAA"}', 5_000_000), (200, 201))
    yield Hostile("a map: too many", maps, filled(start, "AAAA,", 'AAAA"}'), (400,))
    yield Hostile("a map: lines", maps, filled(start, ";", '"}'), (400, 201, 200))
    sources = '{"version":3,"mappings":"","names":[],"sources":['
    yield Hostile("a map: sources", maps, filled(sources, '"a",', '"b"]}'), (400,))
    names = '{"version":3,"mappings":"","sources":[],"names":['
    yield Hostile("a map: names", maps, filled(names, '"aé",', '"b"]}'), (400,))
    inside = '{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":' + names
    yield Hostile("a map: names inside", maps, filled(inside, '"aé",', '"b"]}}]}'), (400,))
    sections = '{"version":3,"sections":['
    unit = '{"offset":{"line":0,"column":0},"map":{"version":3,"mappings":"","sources":[]}},'
    yield Hostile(
        "a map: sections", maps, filled(sections, unit, unit[:-1] + "]}"), (200, 201, 400)
    )


def _report() -> bytes:
    return filled('{"discarded_events":[', "{},", "{}]}")
