"""What is told again, after an answer that was lost, can be known by what stands on the wire."""

import json
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import msgspec
import pytest

from routers.channels import CHANNELS
from routers.channels.apprise import payload as apprise
from routers.channels.log import render
from routers.message import marker
from routers.notification import Alert
from tests.alerts import NOW, an_alert
from tests.routers.test_channels import FORMS, HUGE, a_destination
from tests.routers.test_contract import MESSAGES, taken

# which stand nowhere else in an alert, its permalink included
ID, GROUP = "0199a0a4-7c1e-7c3f-9d9b-2f6f5f6b7a10", "feedfacefeedface"
OTHER_ID, OTHER_GROUP = "0199a0a4-7c1e-7c40-8aaa-6d1f0c2b9e33", "cafebabecafebabe"

Json = Any


def of_apprise(told: Json) -> str:
    (line,) = [one for one in told["message"].splitlines() if one.startswith("Delivery ")]
    return str(line)


def of_discord(told: Json) -> str:
    if "content" in told:
        return str(told["content"].splitlines()[-1].removeprefix("-# "))
    return str(told["embeds"][0]["footer"]["text"])


def of_msteams(told: Json) -> str:
    return str(told["attachments"][0]["content"]["body"][-1]["inlines"][0]["text"])


def of_slack(told: Json) -> str:
    if "blocks" not in told:
        return str(told["text"].splitlines()[-1])
    return str(told["blocks"][-1]["elements"][0]["text"])


# Where each form has what is the same each time: in the JSON that it sends, but for the first three
KEYS: dict[str, Callable[[Any], str]] = {
    "log": lambda text: text.splitlines()[-2],
    "email": lambda mail: message_from_bytes(mail)["Message-ID"],
    "webhook": lambda headers: headers["webhook-id"],
    "slack": of_slack,
    "slack 2": lambda told: told["metadata"]["event_payload"]["delivery"],
    "discord": of_discord,
    "msteams": of_msteams,
    "pagerduty": lambda told: told["dedup_key"],
    "opsgenie": lambda told: told["alias"],
    "incident_io": lambda told: told["deduplication_key"],
    "alertmanager": lambda told: json.dumps(told[0]["labels"], sort_keys=True),
    "apprise": of_apprise,
}


def key(name: str, alert: Alert, console: pytest.CaptureFixture[str]) -> str:
    """What it is known by where it was told."""
    with a_destination(name) as (channel, client, told):
        channel.send(alert, client)
    if not told:
        return KEYS[name](console.readouterr().out)
    (sent,) = told
    if isinstance(sent, bytes):
        return KEYS[name](sent)
    body, rest = sent  # type: ignore[misc]
    return KEYS[name](rest if name == "webhook" else json.loads(body))


def test_every_form_of_every_channel_says_where() -> None:
    assert KEYS.keys() == FORMS.keys()
    assert {name.split()[0] for name in KEYS} == CHANNELS.keys()


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("plain", [False, True])
def test_what_is_told_again_has_the_same_key_and_nothing_else_has(
    name: str, plain: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    alert = an_alert(id=ID, group=GROUP, plain=plain)
    again = an_alert(id=ID, group=GROUP, plain=True, sent_at=NOW + timedelta(minutes=5))
    other = an_alert(id=OTHER_ID, group=OTHER_GROUP, plain=plain)
    first, second, different = (key(name, one, capsys) for one in (alert, again, other))
    assert first == second
    assert ID in first or GROUP in first
    assert OTHER_ID in different or OTHER_GROUP in different
    assert first != different


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("told", MESSAGES)
def test_no_text_and_no_template_takes_the_markers_place(told: str, plain: bool) -> None:
    alert = msgspec.structs.replace(MESSAGES[told](HUGE), id=ID, plain=plain)
    said = {name: KEYS[name](taken(name, alert)) for name in ("slack", "discord", "msteams")}
    said["apprise"] = of_apprise({"message": apprise(alert)["body"]})
    assert set(said.values()) == {marker(alert)} == {f"Delivery {ID}"}
    assert render(alert).splitlines()[-2].split() == ["delivery", ID]


def test_what_is_not_queued_has_no_marker() -> None:
    assert marker(an_alert(id="")) == ""
    assert "delivery" not in render(an_alert(id=""))
