"""One `…_configs` entry of an alertmanager.yml → the settings of a channel.

Spec: https://prometheus.io/docs/alerting/latest/configuration/#receiver-integration-settings
A secret is a `$NAME` or the file that it names. What has no place here is listed by the caller.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Config = Mapping[str, Any]


class Kind(msgspec.Struct, frozen=True):
    name: str  # ours
    ours: str  # the setting that holds the secret
    theirs: str
    noun: str = "URL"  # what ends the secret's name
    shared: str | None = None  # where `global` has one for all
    more: Callable[[Config, Config], dict[str, Any]] = lambda _config, _shared: {}


class Made(msgspec.Struct, frozen=True):
    settings: dict[str, Any]
    carried: frozenset[str]  # the keys that are represented


def _pagerduty(config: Config, shared: Config) -> dict[str, Any]:
    url = config.get("url", shared.get("pagerduty_url"))
    is_eu = isinstance(url, str) and url.startswith("https://events.eu.pagerduty.com/")
    return {"region": "eu"} if is_eu else {}


def _opsgenie(config: Config, shared: Config) -> dict[str, Any]:
    url = config.get("api_url", shared.get("opsgenie_api_url"))
    known = {"api_url": url} if isinstance(url, str) and _BARE.fullmatch(url) else {}
    responders = config.get("responders")
    for one in responders if isinstance(responders, list) else []:
        name = (
            isinstance(one, dict) and one.get("type") == "team" and one.get("name", one.get("id"))
        )
        if isinstance(name, str) and "{{" not in name:
            return known | {"team": name}
    return known


_BARE = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?/?[A-Za-z0-9./_-]*")  # holds no secret
# what each of ours stands for, where it is not called the same
_THEIRS = {"region": "url", "team": "responders"}
KINDS = {
    "slack_configs": Kind("slack", "webhook_url", "api_url", shared="slack_api_url"),
    "webhook_configs": Kind("webhook", "url", "url"),
    "discord_configs": Kind("discord", "webhook_url", "webhook_url"),
    "msteamsv2_configs": Kind("msteams", "webhook_url", "webhook_url"),
    "pagerduty_configs": Kind("pagerduty", "routing_key", "routing_key", "KEY", more=_pagerduty),
    "opsgenie_configs": Kind(
        "opsgenie", "api_key", "api_key", "KEY", shared="opsgenie_api_key", more=_opsgenie
    ),
}


def channel_of(kind: Kind, config: Config, shared: Config, secret: str) -> Made | None:
    """None: it names no secret. secret: what the environment calls it, unless it is `global`'s."""
    reference = _reference(config, kind.theirs, secret)
    if reference is None and kind.shared:
        reference = _reference(shared, kind.shared, kind.shared.upper())
    if reference is None:
        return None
    more = kind.more(config, shared)
    carried = {kind.theirs, f"{kind.theirs}_file", "send_resolved"}
    carried |= {_THEIRS.get(name, name) for name in more}
    return Made({kind.ours: reference} | more, frozenset(carried))


def _reference(config: Config, key: str, secret: str) -> str | None:
    if file := config.get(f"{key}_file"):
        return f"$file:{file}"
    return f"${secret}" if key in config else None
