"""Secrets, and what may be kept of a file that spells them out."""

from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from routers.channels import CHANNELS
from routers.channels.alertmanager import Alertmanager
from routers.channels.slack import Slack
from routers.configured import NOT_KEPT, Unconfigured
from routers.rules import load_rules
from routers.secrets import UnsetError, resolve
from tests.builders import loaded, the_rules
from tests.routers.test_channels import FORMS, OUTSIDE
from tests.trees import FakeTree

HOOK = "https://hooks.slack.com/services/T0/B0/very-secret"
ENVIRON = {"HOOK": HOOK, "EMPTY": ""}


@pytest.mark.parametrize("written", ["$HOOK", "${HOOK}", HOOK])
def test_a_secret_comes_from_the_environment_or_stands_as_it_is(written: str) -> None:
    rules = the_rules(f"channels: {{x: {{slack: {{webhook_url: '{written}'}}}}}}", ENVIRON)
    channel = rules.channels["x"]
    assert isinstance(channel, Slack)
    assert channel.webhook_url == SecretStr(HOOK)
    assert "very-secret" not in repr(rules)


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text(f"{HOOK}\n")
    assert resolve(f"$file:{tmp_path}/hook", {}) == HOOK


@pytest.mark.parametrize("written", ["$NONE", "${NONE}", "a/${NONE}/b", "$EMPTY", "$file:/none"])
def test_a_secret_that_is_not_set_is_named(written: str) -> None:
    with pytest.raises(UnsetError, match=r"NONE|EMPTY|none"):
        resolve(written, ENVIRON)


def test_the_services_own_settings_go_to_no_channel() -> None:
    with pytest.raises(UnsetError, match="the service's own"):
        resolve("https://x/${POINTSMAN_ADMIN_TOKEN}", {"POINTSMAN_ADMIN_TOKEN": "very-secret"})


def test_a_secret_that_is_spelled_out_in_part_is_not_kept() -> None:
    text = "channels: {x: {webhook: {url: 'https://h/very-secret/${HOOK}'}}}"
    assert b"very-secret" not in loaded(text, {"HOOK": "x"}).keepable["rules.yaml"]


def test_an_unset_secret_makes_its_channel_unconfigured_not_the_file_broken() -> None:
    rules = the_rules("channels: {x: {slack: {webhook_url: $NONE}}}", ENVIRON)
    assert rules.channels["x"] == Unconfigured("slack", "$NONE is not set")


@pytest.mark.parametrize("name", OUTSIDE)
def test_whatever_is_not_set_leaves_its_channel_unconfigured(name: str) -> None:
    unset = yaml.safe_dump(
        {"channels": {"x": {name.split()[0]: dict.fromkeys(FORMS[name], "$NONE")}}}
    )
    assert isinstance(the_rules(unset, ENVIRON).channels["x"], Unconfigured)


def test_what_is_not_set_is_not_missed() -> None:
    rules = the_rules("channels: {x: {slack: {token: $NONE, channel: C0123456789}}}", ENVIRON)
    assert rules.channels["x"] == Unconfigured("slack", "$NONE is not set")


def test_a_mistake_beside_an_unset_secret_is_still_a_problem() -> None:
    assert loaded("channels: {x: {slack: {webhook_url: $NONE, colour: red}}}").problems


def test_a_secret_that_is_spelled_out_is_not_kept() -> None:
    text = f"channels:\n  x: {{slack: {{webhook_url: {HOOK}}}}}\n  y: {{webhook: {{url: $HOOK}}}}\n"
    kept = loaded(text, ENVIRON).keepable["rules.yaml"]
    assert b"very-secret" not in kept
    again = load_rules(FakeTree({"rules.yaml": kept.decode()}), "rules.yaml", ENVIRON)
    assert again.problems == ()
    assert again.rules.channels["x"] == Unconfigured("slack", f"{NOT_KEPT} is not set")
    assert not isinstance(again.rules.channels["y"], Unconfigured)


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_secret_that_any_channel_spells_out_is_kept(name: str) -> None:
    kind, settings = name.split()[0], FORMS[name]
    values = [value for _, value in CHANNELS[kind](**settings)]
    listed = [one for value in values for one in (value if isinstance(value, list) else [value])]
    given = [one for one in listed if isinstance(one, SecretStr)]
    kept = loaded(yaml.safe_dump({"channels": {"x": {kind: settings}}})).keepable["rules.yaml"]
    assert given
    assert [one for one in given if one.get_secret_value() in kept.decode()] == []


def test_no_problem_shows_a_secret() -> None:
    found = loaded("channels: {x: {slack: {webhook_url: very-secret, y: very-secret}}}")
    assert found.problems
    assert "very-secret" not in str(found.problems)


def test_a_device_is_no_secret() -> None:
    """`/dev/zero` would be read for ever."""
    with pytest.raises(UnsetError, match="/dev/zero is no regular file"):
        resolve("$file:/dev/zero", {})


REPLICAS = "channels: {x: {alertmanager: {urls: [$HOOK, %s]}}}"


def test_a_secret_may_stand_in_a_list() -> None:
    channel = the_rules(REPLICAS % "'http://b.test'", ENVIRON).channels["x"]
    assert isinstance(channel, Alertmanager)
    assert channel.urls == [SecretStr(HOOK), SecretStr("http://b.test")]


def test_a_secret_that_is_not_set_in_a_list_makes_its_channel_unconfigured() -> None:
    rules = the_rules(REPLICAS % "$NONE", ENVIRON)
    assert rules.channels["x"] == Unconfigured("alertmanager", "$NONE is not set")


def test_a_secret_that_is_spelled_out_in_a_list_is_not_kept() -> None:
    kept = loaded(REPLICAS % "'http://b.test/very-secret'", ENVIRON).keepable["rules.yaml"]
    assert (b"very-secret" in kept, b"$HOOK" in kept) == (False, True)


def test_what_is_not_set_is_not_called_malformed() -> None:
    """No placeholder has the 32 characters of a routing key."""
    rules = the_rules("channels: {x: {pagerduty: {routing_key: $NONE}}}", ENVIRON)
    assert rules.channels["x"] == Unconfigured("pagerduty", "$NONE is not set")
