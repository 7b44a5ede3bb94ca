"""Who is run, how each is pointed here, and what must arrive: written by hand.

One error each: a CheckoutError of team web, thrown because of a CardDeclinedError of team payments.
"""

from typing import NamedTuple

CARDS = "examples/monolith/shop/billing/cards.py:16"


class Client(NamedTuple):
    name: str
    packages: tuple[str, ...]  # whose versions the page shows
    program: str  # behind `python -m tests.clients.`, or a module of node
    pointed: str  # the one line that differs
    more: str = ""  # the program's last argument
    posts: tuple[str, ...] = ("/api/1/envelope/",)  # where the error is sent to: once to each
    coding: str = ""  # of these bodies
    exceptions: tuple[str, ...] = ("CardDeclinedError", "CheckoutError")
    owner: str = "payments"
    step: str = "frame"
    frame: str = CARDS
    others: bool = False  # it sends what is no error, too


CLIENTS = (
    Client(
        "sentry-sdk, gzip",
        ("sentry-sdk",),
        "sentry_client",
        'sentry_sdk.init("http://KEY@HOST:8000/1")',
        more="gzip",
        coding="gzip",
        others=True,
    ),
    Client(
        "sentry-sdk, br",
        ("sentry-sdk", "brotli"),
        "sentry_client",
        'sentry_sdk.init("http://KEY@HOST:8000/1")',
        more="br",
        coding="br",
        others=True,
    ),
    Client(
        "@sentry/node",
        ("@sentry/node",),
        "sentry_node.mjs",
        'Sentry.init({ dsn: "http://KEY@HOST:8000/1" })',
        frame="tests/clients/shop/cards.mjs:8",
        others=True,
    ),
    Client(
        "@sentry/browser",
        ("@sentry/browser", "esbuild"),
        "sentry_browser",
        'Sentry.init({ dsn: "http://KEY@HOST:8000/1" })',
        frame="tests/clients/shop/cards.mjs:8",
        others=True,
    ),
    Client(
        "opentelemetry-sdk, protobuf",
        ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"),
        "otlp_client",
        'OTLPSpanExporter(endpoint="http://HOST:8000/v1/traces", headers={"X-API-Key": KEY})',
        more="proto",
        posts=("/v1/traces", "/v1/logs"),
        others=True,
    ),
    Client(
        "opentelemetry-sdk, JSON",
        ("opentelemetry-sdk", "opentelemetry-exporter-otlp-json-http"),
        "otlp_client",
        'OTLPSpanExporter(endpoint="http://HOST:8000/v1/traces", headers={"X-API-Key": KEY})',
        more="json",
        posts=("/v1/traces", "/v1/logs"),
        others=True,
    ),
    Client(
        "rollbar",
        ("rollbar",),
        "rollbar_client",
        'rollbar.init(KEY, endpoint="http://HOST:8000/api/1/")',
        posts=("/api/1/item/",),
    ),
    Client(
        "bugsnag",
        ("bugsnag",),
        "bugsnag_client",
        'bugsnag.configure(api_key=KEY, endpoint="http://HOST:8000/notify")',
        posts=("/notify",),
    ),
    Client(
        "honeybadger",
        ("honeybadger",),
        "honeybadger_client",
        'honeybadger.configure(api_key=KEY, endpoint="http://HOST:8000")',
        posts=("/v1/notices/",),
        owner="web",  # it sends the thrown exception's frames for its causes too
        frame="examples/monolith/shop/web/checkout.py:17",
    ),
    Client(
        "pybrake",
        ("pybrake",),
        "airbrake_client",
        'pybrake.Notifier(project_id=1, project_key=KEY, host="http://HOST:8000")',
        posts=("/api/v3/projects/1/notices",),
    ),
)
