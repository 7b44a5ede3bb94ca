"""From an alertmanager.yml: time intervals, and the tools that open incidents."""

import pytest

from matchers.importing.starting import Start
from routers.alertmanager import import_alertmanager
from tests.importing.test_importing import rules_of, said
from tests.running_cli import pointsman

FILE = "alertmanager.yml"
NIGHTS = """\
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: "22:00", end_time: "24:00"}, {start_time: "00:00", end_time: "06:00"}]
        location: Europe/Berlin
  - name: broken
    time_intervals: [{weekdays: [mnday]}]
mute_time_intervals:
  - {name: weekends, time_intervals: [{weekdays: [saturday, sunday]}]}
route:
  receiver: chat
  routes:
    - {matchers: [team="payments"], receiver: chat, mute_time_intervals: [nights, weekends]}
    - {matchers: [team="search"], receiver: chat, active_time_intervals: [nights]}
    - {matchers: [team="web"], receiver: chat, mute_time_intervals: [broken, nowhere]}
receivers:
  - {name: chat, webhook_configs: [{url: "https://x.example/SECRET"}]}
"""


def imported(text: str) -> Start:
    start = import_alertmanager(text.encode(), FILE)
    assert rules_of(start)
    assert "SECRET" not in start.text() + str(said(start))
    return start


def configured(configs: str, shared: str = "{}") -> Start:
    return imported(f"global: {shared}\nreceivers: [{{name: pay, {configs}}}]\n")


def test_what_cannot_be_read_at_all_is_a_finding() -> None:
    answer = pointsman("import", "alertmanager", "-", given="route: [")
    assert answer.exit_code == 1
    assert "not YAML" in answer.talk


def test_time_intervals_stay_with_their_routes() -> None:
    start = imported(NIGHTS)
    rules = rules_of(start)
    assert [one.name for one in rules.policy.mute_time_intervals] == ["nights", "weekends"]
    when = {"mute_time_intervals": ["nights", "weekends"]}
    assert start.teams["payments"]["receivers"] == [{"channel": "chat-webhook", "when": when}]
    when = {"active_time_intervals": ["nights"]}
    assert start.teams["search"]["receivers"] == [{"channel": "chat-webhook", "when": when}]
    assert start.teams["web"]["receivers"] == [{"channel": "chat-webhook"}]


def test_what_of_them_cannot_be_is_listed_in_its_place() -> None:
    assert [(line, word) for line, word in said(imported(NIGHTS)) if "other" not in word] == [
        (6, '"mnday" is no bound of a range; the names are sunday, monday, tuesday, wednesday, '
            "thursday, friday, saturday: left out"),
        (15, 'no time interval "broken"'),
        (15, 'no time interval "nowhere"'),
    ]  # fmt: skip


def test_that_a_muted_route_falls_through_here_is_said() -> None:
    (line, word) = said(imported(NIGHTS))[1]
    assert line == 13
    assert word.startswith("while it sleeps the team's other receivers are told")


def test_of_two_intervals_of_one_name_the_first_is_taken() -> None:
    one, other = "{name: x, time_intervals: [{}]}", "{name: x, time_intervals: [{years: [2026]}]}"
    start = imported(f"time_intervals: [{one}, {other}]\nroute: {{active_time_intervals: [x]}}")
    assert start.policy["mute_time_intervals"] == [{"name": "x", "time_intervals": [{}]}]
    assert [word for _, word in said(start)] == [
        'another time interval is called "x": left out',
        "`active_time_intervals` of a route has no place here",
    ]


@pytest.mark.parametrize(
    ("configs", "shared", "channels"),
    [
        (
            "pagerduty_configs: [{routing_key: SECRET}]",
            "{}",
            {"pay-pagerduty": {"pagerduty": {"routing_key": "$PAY_PAGERDUTY_KEY"}}},
        ),
        (
            "pagerduty_configs: [{routing_key_file: /run/key}]",
            '{pagerduty_url: "https://events.eu.pagerduty.com/v2/enqueue"}',
            {"pay-pagerduty": {"pagerduty": {"routing_key": "$file:/run/key", "region": "eu"}}},
        ),
        (
            "opsgenie_configs: [{api_key: SECRET, responders: [{name: payments, type: team}]}]",
            "{}",
            {"pay-opsgenie": {"opsgenie": {"api_key": "$PAY_OPSGENIE_KEY", "team": "payments"}}},
        ),
        (
            'opsgenie_configs: [{api_url: "https://api.eu.opsgenie.com/"}]',
            "{opsgenie_api_key: SECRET}",
            {
                "pay-opsgenie": {
                    "opsgenie": {
                        "api_key": "$OPSGENIE_API_KEY",
                        "api_url": "https://api.eu.opsgenie.com/",
                    }
                }
            },
        ),
        (
            "opsgenie_configs: [{}]",
            "{opsgenie_api_key_file: /run/key}",
            {"pay-opsgenie": {"opsgenie": {"api_key": "$file:/run/key"}}},
        ),
    ],
)
def test_a_pager_becomes_a_channel_without_its_key(
    configs: str, shared: str, channels: dict[str, object]
) -> None:
    start = configured(configs, shared)
    assert start.channels == channels
    assert said(start) == []


@pytest.mark.parametrize(
    ("configs", "words"),
    [
        ("pagerduty_configs: [{service_key: SECRET}]", ["no channel is made of it"]),
        ("opsgenie_configs: [{message: x}]", ["no channel is made of it"]),
        (
            'pagerduty_configs: [{routing_key: SECRET, url: "https://proxy.example/v2"}]',
            ["`url` is not carried over"],
        ),
        (
            "opsgenie_configs: [{api_key: SECRET, priority: P1,"
            " responders: [{username: ada, type: user}, {name: '{{ .x }}', type: team}]}]",
            ["`priority` is not carried over", "`responders` is not carried over"],
        ),
        (
            'opsgenie_configs: [{api_key: SECRET, api_url: "https://SECRET@x.example/"}]',
            ["`api_url` is not carried over"],
        ),
    ],
)
def test_what_of_a_pager_is_not_carried_over_is_listed(configs: str, words: list[str]) -> None:
    listed = [word for _, word in said(configured(configs))]
    assert len(listed) == len(words)
    assert [word for word in words if not any(word in said for said in listed)] == []
