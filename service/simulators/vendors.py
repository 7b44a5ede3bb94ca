"""The simulators by the word that `pointsman simulate` has for each: how one is made, how a channel
is pointed at it, and how what it was told is read.
"""

import html
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from service.simulators import SIMULATORS, Clock, Handler
from service.simulators import discord as discords
from service.simulators import msteams as teams

Json = Any


class Vendor(NamedTuple):
    base: str  # where the real one is
    make: Callable[[Clock], Handler]
    channel: str  # its settings; {url}: the simulator's
    read: Callable[[Json], Iterator[str]]  # what a person reads in a request, in lines


def _discord(clock: Clock) -> Handler:
    return discords.Discord("/api/webhooks/1/x", now=lambda: clock().timestamp())


def _msteams(_clock: Clock) -> Handler:
    return teams.Workflow("/workflows/0/triggers/manual/paths/invoke", "hush-hush")


def _read_slack(told: Json) -> Iterator[str]:
    yield from html.unescape(told["text"]).splitlines()


def _read_discord(told: Json) -> Iterator[str]:
    yield from told.get("content", "").splitlines()
    for embed in told.get("embeds", []):
        yield embed["title"]
        yield from embed["description"].splitlines()
        yield embed.get("footer", {}).get("text", "")


def _read_msteams(told: Json) -> Iterator[str]:
    for element in teams.elements(told["attachments"][0]["content"]):
        if element["type"] == "TextRun":
            yield element["text"]


def _read_pagerduty(told: Json) -> Iterator[str]:
    yield f"{told['event_action']} {told['dedup_key']}"
    if "payload" in told:
        yield f"{told['payload']['severity']}: {told['payload']['summary']}"


def _read_opsgenie(told: Json) -> Iterator[str]:
    yield f"{told.get('priority', '')} {told.get('alias', '')}"
    yield from (told.get("message", ""), *told.get("description", "").splitlines())


def _read_incident_io(told: Json) -> Iterator[str]:
    yield f"{told['status']} {told['deduplication_key']}"
    yield told["title"]


def _read_alertmanager(told: Json) -> Iterator[str]:
    for alert in told:
        yield " ".join(f'{name}="{value}"' for name, value in alert["labels"].items())
        yield alert["annotations"].get("summary", "")


VENDORS = {
    "slack": Vendor(
        "https://hooks.slack.com",
        SIMULATORS["slack"],
        "slack: {{webhook_url: {url}/services/T0/B0/x}}",
        _read_slack,
    ),
    "pagerduty": Vendor(
        "https://events.pagerduty.com",
        SIMULATORS["pagerduty"],
        "pagerduty: {{routing_key: R0PQ4XA2KDDW7H3M5TZC8VBN6YJE1FGS, api_url: {url}}}",
        _read_pagerduty,
    ),
    "opsgenie": Vendor(
        "https://api.opsgenie.com",
        SIMULATORS["opsgenie"],
        "opsgenie: {{api_key: 5f1f1b2e-7c3a-4d9e-8b6a-2f4c1d0e9a7b, api_url: {url}}}",
        _read_opsgenie,
    ),
    "incident_io": Vendor(
        "https://api.incident.io",
        SIMULATORS["incident_io"],
        "incident_io: {{url: {url}/v2/alert_events/http/01HX, token: 3f9c27d1}}",
        _read_incident_io,
    ),
    "discord": Vendor(
        "https://discord.com",
        _discord,
        "discord: {{webhook_url: {url}/api/webhooks/1/x}}",
        _read_discord,
    ),
    "msteams": Vendor(
        "https://x.logic.azure.com",
        _msteams,
        'msteams: {{webhook_url: "{url}/workflows/0/triggers/manual/paths/invoke?sig=hush-hush"}}',
        _read_msteams,
    ),
    "alertmanager": Vendor(
        "https://alertmanager.example.com",
        SIMULATORS["alertmanager"],
        "alertmanager: {{urls: ['{url}']}}",
        _read_alertmanager,
    ),
}


def readable(vendor: Vendor, body: bytes) -> list[str]:
    """None of it where it is not what the vendor would be told."""
    try:
        return [line for line in vendor.read(json.loads(body)) if line.strip()]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return []
