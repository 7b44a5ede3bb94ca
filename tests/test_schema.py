"""The JSON Schema of the rules file: what is committed, what is served, what it takes for good."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.cli.schema_page import page
from tests.documents import Block, blocks, text_of
from tests.monorepo import PAY, RISK, ROOT_RULES
from tests.schemas import mistakes
from tests.service.house import running

SCHEMA = json.loads(page())


def found(text: str) -> list[str]:
    return list(mistakes(yaml.safe_load(text), SCHEMA, SCHEMA))


def test_the_committed_schema_is_what_the_code_generates() -> None:
    assert text_of("ownership_rules.schema.json") == page()


def test_the_service_serves_it_without_a_token(tmp_path: Path) -> None:
    with running(tmp_path, admin_token="right") as client:
        answer = client.get("/api/v1/rules/schema")
        assert client.get("/api/v1/rules").status_code == 401
    assert (answer.json(), answer.headers["content-type"]) == (SCHEMA, "application/schema+json")


def test_the_rules_file_names_its_schema() -> None:
    text = text_of("ownership_rules.yaml")
    assert text.startswith("# yaml-language-server: $schema=./ownership_rules.schema.json\n")
    assert found(text) == []


@pytest.mark.parametrize("block", blocks("yaml", "yaml shadowed", "yaml ordered"), ids=str)
def test_it_takes_every_rules_file_that_is_shown(block: Block) -> None:
    assert found(block.text) == []


ONE_SEVERITY = """version: 1
teams: {a: {receivers: [{channel: log, when: {severity: critical}}]}}
"""


@pytest.mark.parametrize("text", [ROOT_RULES, PAY, RISK, ONE_SEVERITY])
def test_it_takes_a_root_and_its_team_files(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", ": required version"),
        ("version: 2", "/version: const"),
        ("{version: 1, rulez: []}", "/rulez: additionalProperties"),
        ("{version: 1, strategy: furthest}", "/strategy: enum"),
        ("{version: 1, default: ''}", "/default: minLength"),
        ("{version: 1, rules: [{pth: /x/, owner: a}]}", "/rules/0: anyOf"),
        ("{version: 1, rules: [{path: [], owner: a}]}", "/rules/0: anyOf"),
        ("{version: 1, rules: [{include: x, dialect: svn}]}", "/rules/0: anyOf"),
        ("{version: 1, fallbacks: [{unowned: 'yes'}]}", "/fallbacks/0/unowned: type"),
        ("{version: 1, channels: {x: {slak: {}}}}", "/channels/x: anyOf"),
        ("{version: 1, projects: {'1': {slug: ' '}}}", "/projects/1/slug: pattern"),
        ("{version: 1, teams: {a: {receivers: [{chanel: x}]}}}", "/teams/a: anyOf"),
    ],
)
def test_it_refuses(text: str, said: str) -> None:
    assert found(text) == [said]


def test_it_refuses_the_rules_that_are_shown_broken() -> None:
    broken: Any = blocks("yaml broken")
    assert found(broken[0].text) == ["/rules/1: anyOf"]
