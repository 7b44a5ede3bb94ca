"""One group's life in Slack, by real processes: post, thread, press, change, regression."""

from datetime import UTC, datetime
from pathlib import Path

import httpx

from service.simulators.slack import CHANNEL, TOKEN, Slack, pressable, signed
from tests.routers.simulators.serving import served
from tests.running import Service, a_service, spilled_in, wait_for

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
RULES = """version: 1
teams:
  payments: {receivers: [{channel: bot}]}
  search: {name: "Search & <!channel>", receivers: [{channel: log}]}
channels:
  bot: {slack: {token: $SLACK_TOKEN, channel: %s, api_url: $SLACK_URL}}
rules:
  - {path: /shop/payments/, owner: payments}
"""


def now() -> datetime:
    return datetime.now(UTC)


def press(service: Service, body: bytes) -> httpx.Response:
    headers = signed(body, SECRET, now())
    return httpx.post(f"{service.url}/hooks/slack", content=body, headers=headers, trust_env=False)


def test_a_group_is_one_message_that_can_be_acted_on(tmp_path: Path) -> None:
    slack, (title, event) = Slack(now), spilled_in(1)
    with (
        served(slack) as url,
        a_service(
            tmp_path,
            RULES % CHANNEL,
            SLACK_TOKEN=TOKEN,
            SLACK_URL=url,
            POINTSMAN_SLACK_SIGNING_SECRET=SECRET,
            POINTSMAN_ALLOW_PRIVATE_DESTINATIONS="true",
        ) as service,
    ):
        service.post(event)
        (message,) = wait_for(lambda: slack.firsts)
        answer = press(service, slack.pressed(message["ts"], "resolve"))
        wait_for(lambda: not pressable(slack.firsts[0]))
        resolved = service.groups()[title]["status"]
        service.post(event)
        (reply,) = wait_for(lambda: slack.thread(message["ts"]))
        books = service.settled_books()
        log = service.log()
    assert (answer.status_code, answer.content, resolved) == (200, b"", "resolved")
    assert "resolved by ada" in str(slack.said[1])
    assert reply["blocks"][0]["text"]["text"] == f"Back again: {title}"
    assert (len(slack.firsts), books["unaccounted"]) == (1, 0)
    assert [secret for secret in (SECRET, TOKEN) if secret in log] == []
