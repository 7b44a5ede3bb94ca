"""The words that talk to a running service, as an operator types them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from service.cli.remote import became
from tests.running import Service, a_service, spilled_in, wait_for
from tests.running_cli import Answer, pointsman

TOKEN = "the-admin-token"
RULES = """version: 1
teams:
  payments: {receivers: [{channel: log, when: {environment: staging}}, {channel: unset}]}
  lonely: {receivers: []}
channels:
  unset: {webhook: {url: $NOT_SET_ANYWHERE}}
rules: [{path: /shop/payments/, owner: payments}]
policy: {fallback_receivers: []}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with a_service(folder, RULES, POINTSMAN_ADMIN_TOKEN=TOKEN) as service:
        yield service


def ask(service: Service, *words: str, token: str = TOKEN) -> Answer:
    named = {"POINTSMAN_URL": service.url, "POINTSMAN_ADMIN_TOKEN": token}
    return pointsman(*words, env=named)


def books(service: Service) -> dict[str, Any]:
    """Once nothing waits to be told."""

    def settled() -> dict[str, Any] | None:
        asked = httpx.get(
            f"{service.url}/api/v1/accounting",
            headers={"Authorization": f"Bearer {TOKEN}"},
            trust_env=False,
        )
        found: dict[str, Any] = asked.raise_for_status().json()
        return None if found["deliveries"]["pending"] else found

    return wait_for(settled)


def test_a_baseline_says_how_much_it_knows(service: Service) -> None:
    service.post(spilled_in(1)[1])
    marked = ask(service, "baseline", "--team", "payments")
    assert marked == (0, "marked as told: 1 group, 1 audience\n", "")
    assert ask(service, "baseline", "--json").out == '{\n  "groups": 1,\n  "audiences": 1\n}\n'


def test_a_refusal_is_said_in_the_services_words(service: Service) -> None:
    refused = ask(service, "baseline", "--team", "paymnets")
    said = f"{service.url} answers 404: there is no such team\n"
    assert (refused.exit_code, refused.talk) == (2, said)


def test_a_wrong_token_is_said_without_it(service: Service) -> None:
    refused = ask(service, "baseline", token="not-the-token")
    assert refused.exit_code == 2
    assert "401: this is not the admin token" in refused.talk
    assert "not-the-token" not in refused.out + refused.talk


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://[::", "ftp://x", "nonsense"])
def test_nobody_there_is_said(url: str) -> None:
    answer = pointsman("baseline", "--url", url)
    assert answer.exit_code == 2
    assert answer.talk.startswith(f"no service answers at {url}: ")


def test_a_test_message_says_what_the_channel_said(service: Service) -> None:
    before = books(service)
    sent = ask(service, "send", "--team", "payments", "--environment", "staging")
    assert sent == (
        0,
        "payments  log  This is how payments is told; nothing failed  delivered\n",
        "",
    )
    assert "ALERT payments · info · test\n" in service.console()
    after = books(service)
    assert after["accepted"] == before["accepted"]
    assert (after["queued"], after["unaccounted"]) == (before["queued"] + 1, 0)


def test_a_test_message_that_does_not_arrive_is_a_finding(service: Service) -> None:
    sent = ask(service, "send", "--team", "payments", "--receiver", "unset")
    assert sent.exit_code == 1
    assert sent.out.endswith("  dead: unconfigured: $NOT_SET_ANYWHERE is not set\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--team", "payments", "--receiver", "logg"), 'no such channel — did you mean "log"?'),
        (("--team", "paymnets"), "there is no such team"),
        (("--team", "lonely"), "409: no_receiver: no receiver of lonely takes this now; name one"),
        (("--team", "payments", "--severity", "bad"), "422: query.severity: "),
    ],
)
def test_a_test_message_to_nobody_is_misuse(
    service: Service, words: tuple[str, ...], said: str
) -> None:
    sent = ask(service, "send", *words)
    assert (sent.exit_code, sent.out) == (2, "")
    assert said in sent.talk


def test_a_digest_is_told_and_who_cannot_be_is_named(service: Service) -> None:
    service.post(spilled_in(2)[1])
    told = ask(service, "digest")
    assert told.exit_code == 1  # payments has only its second receiver for this, which is unset
    assert "payments  unset  " in told.out
    assert told.out.endswith("lonely  no_receiver\n")


def test_what_is_dead_is_listed_and_retried(service: Service) -> None:
    ask(service, "send", "--team", "payments", "--receiver", "unset")
    listed = ask(service, "deliveries", "--state", "dead", "--limit", "1").out
    id, *about = listed.split()  # noqa: A001
    assert about[:4] == ["payments", "unset", "test", "dead:"]
    assert ask(service, "retry", id).out == f"{id}  unset  pending\n"
    wait_for(lambda: ask(service, "deliveries", "--state", "dead", "--limit", "1").out == listed)
    assert ask(service, "deliveries", id).out == listed
    tried = ask(service, "retry", "--all-dead").out.splitlines()
    assert f"{id}  unset  pending" in tried
    assert books(service)["unaccounted"] == 0


def ended(state: str, **more: str) -> dict[str, Any]:
    return {"state": state, "last_code": None, "last_error": None, "carrier": None} | {
        "fallback": None,
        **more,
    }


BECAME = [
    (ended("delivered"), "delivered"),
    (ended("pending", carrier="01a2"), "pending; carrier 01a2"),
    (ended("pending", last_code="timeout", last_error="10 s"), "pending: timeout: 10 s"),
    (
        ended("dead", last_code="gone", last_error="410", fallback="mail"),
        "dead: gone: 410; told by mail instead",
    ),
]


@pytest.mark.parametrize(("delivery", "said"), BECAME)
def test_what_became_of_a_delivery_is_one_line(delivery: dict[str, Any], said: str) -> None:
    assert became(delivery) == said


@pytest.mark.parametrize("words", [(), ("an-id", "--all-dead")])
def test_a_retry_needs_to_know_of_which(words: tuple[str, ...]) -> None:
    assert pointsman("retry", *words) == (2, "", "name the deliveries, or --all-dead\n")


def test_a_delivery_that_there_is_not_is_misuse(service: Service) -> None:
    asked = ask(service, "deliveries", "an-id")
    assert (asked.exit_code, asked.out) == (2, "")
    assert "404: there is no such delivery" in asked.talk
    assert pointsman("deliveries", "an-id", "--state", "dead").exit_code == 2


def test_a_password_in_the_url_is_not_said() -> None:
    answer = pointsman("baseline", "--url", "http://ada:hush-hush@127.0.0.1:9")
    assert (answer.exit_code, "hush-hush" in answer.talk) == (2, False)
