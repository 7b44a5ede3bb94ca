"""Which web pages may send events (POINTSMAN_ALLOWED_ORIGINS), and what their browsers are told.

Only the doors for events answer so. The API and the pages do not: with no admin token they are
open on loopback, and another site's page must not read or change them.
Spec: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Iterator, Mapping

# Sentry's own, then those of Rollbar, Bugsnag, Honeybadger and OTLP's exporters.
_HEADERS = (
    *("Content-Type", "X-Sentry-Auth", "X-Requested-With", "Origin", "Accept", "Authentication"),
    *("Authorization", "Content-Encoding", "sentry-trace", "baggage", "X-CSRFToken"),
    *("X-Rollbar-Access-Token", "Bugsnag-Api-Key", "Bugsnag-Payload-Version", "Bugsnag-Sent-At"),
    *("X-API-Key", "traceparent", "tracestate"),
)
PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": ", ".join(_HEADERS),
    "Access-Control-Max-Age": "3600",
}
_EXPOSED = "X-Sentry-Error, X-Sentry-Rate-Limits, Retry-After"


class Origins:
    def __init__(self, allowed: str) -> None:
        self._allowed = tuple(allowed_origins(allowed))

    def allow(self, origin: str | None) -> bool:
        """None: no browser sent it, or a page of the service's own."""
        return origin is None or any(_fits(origin.lower(), one) for one in self._allowed)

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Of any answer. Without them a browser keeps the answer from the page."""
        if "*" in self._allowed:
            return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _EXPOSED}
        if origin is None or not self.allow(origin):
            return {"Vary": "Origin"}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": _EXPOSED,
            "Vary": "Origin",
        }


def allowed_origins(setting: str) -> Iterator[str]:
    for one in setting.lower().split(","):
        if one.strip():
            yield one.strip().rstrip("/")


def is_origin(one: str) -> bool:
    """`*`, `https://shop.example.com`, `https://*.example.com`."""
    scheme, colon, host = one.partition("://")
    rest = host.removeprefix("*.")
    return one == "*" or (bool(scheme and colon and rest) and not set(rest) & set("*/?#@ "))


def _fits(origin: str, allowed: str) -> bool:
    scheme, _, host = allowed.partition("://")
    if host.startswith("*."):
        return origin.startswith(f"{scheme}://") and origin.endswith(host[1:])
    return allowed in ("*", origin)
