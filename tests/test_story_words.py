"""The words that talk to a running service, as an operator types them."""

from collections.abc import Iterator

import pytest

from tests.running import Service, a_service, spilled_in
from tests.running_cli import Answer, pointsman

TOKEN = "the-admin-token"
RULES = """version: 1
teams:
  payments: {receivers: [{channel: log, when: {environment: staging}}, {channel: unset}]}
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


def test_a_baseline_says_how_much_it_knows(service: Service) -> None:
    service.post(spilled_in(1)[1])
    marked = ask(service, "baseline", "--team", "payments")
    assert marked == (0, "1 groups are marked as told, to 1 audiences\n", "")
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
