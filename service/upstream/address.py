"""Sentry's DSN: where envelopes are posted, and how their sender is known.

Spec: https://develop.sentry.dev/sdk/overview/#parsing-the-dsn
"""

from urllib.parse import urlsplit

import msgspec


class Address(msgspec.Struct, frozen=True):
    """url holds no secret; headers do, if the DSN is one of the old ones with a secret part."""

    url: str
    headers: dict[str, str]

    def __repr__(self) -> str:
        return f"Address({self.url!r})"


def parse_dsn(dsn: str) -> Address:
    """`{scheme}://{key}[:{secret}]@{host}{path}/{project}`. Raises ValueError, without the DSN."""
    parts = urlsplit(dsn)
    path, _, project = parts.path.rpartition("/")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a DSN is https://KEY@HOST/PROJECT")
    if not parts.username or not project:
        raise ValueError("a DSN names a key and a project: https://KEY@HOST/PROJECT")
    said = f"Sentry sentry_version=7, sentry_client=pointsman, sentry_key={parts.username}"
    if parts.password:
        said += f", sentry_secret={parts.password}"
    _, _, host = parts.netloc.rpartition("@")
    return Address(
        f"{parts.scheme}://{host}{path}/api/{project}/envelope/", {"X-Sentry-Auth": said}
    )
