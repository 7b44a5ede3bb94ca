"""The documentation is true: every word that a user can meet is explained, every link leads on."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import typer.main

from matchers.kinds import KINDS
from matchers.ownership import Step, Verdict
from matchers.sources.cases import Expected
from matchers.sources.schema import (
    FileEntry,
    GroupingRule,
    ProjectEntry,
    RootEntry,
    RuleEntry,
    TeamEntry,
)
from routers.channels import CHANNELS
from routers.channels.base import examples
from routers.http import CODES
from routers.notification import Outcome, Reason, Severity, State
from routers.policy import Notify, Policy
from routers.rules import load_rules
from routers.runbooks import FeatureEntry
from routers.silences import LABELS
from routers.teams import ReceiverEntry, When
from service.app import create_app
from service.cli import app as cli
from service.cli.settings_page import page as settings_page
from service.ingest import ADAPTERS
from service.runtime import Runtime
from service.settings import Settings, names_of
from service.telemetry import REJECTIONS, Telemetry
from tests.documents import (
    PAGES,
    ROOT,
    Block,
    blocks,
    broken_links,
    headings,
    text_of,
    undocumented,
)
from tests.trees import FakeTree

ARCHITECTURE, RULES, INGEST, CHANNELS_PAGE, API, CLI, OPERATING = (
    text_of(f"docs/{name}.md")
    for name in ("architecture", "rules", "ingest", "channels", "api", "cli", "operating")
)
ENTRIES = (
    FileEntry,
    TeamEntry,
    RuleEntry,
    GroupingRule,
    ProjectEntry,
    RootEntry,
    FeatureEntry,
    ReceiverEntry,
    When,
    Expected,
)
WORDS = typer.main.get_command(cli).commands  # type: ignore[attr-defined]  # a click group


def codes(package: str, *errors: str) -> set[str]:
    """The first argument of every such error that the package raises, read from its source."""
    return {
        call.args[0].value
        for path in (ROOT / package).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        if call.func.id in errors and call.args and isinstance(call.args[0], ast.Constant)
        if isinstance(call.args[0].value, str)
    }


def endpoints(tmp_path: Path) -> Iterator[str]:
    app = create_app(Runtime(Settings(database_url=f"sqlite:///{tmp_path}/p.db")))
    for path, methods in app.openapi()["paths"].items():
        yield from (f"{method.upper()} {path}" for method in methods)


def test_the_check_finds_a_word_that_nobody_explains() -> None:
    assert undocumented(["first_seen", "made_up"], ARCHITECTURE) == ["made_up"]


def test_the_settings_page_is_what_the_code_generates() -> None:
    assert text_of("docs/settings.md") == settings_page()


def test_every_setting_is_documented() -> None:
    names = [name for field in Settings.model_fields for name in names_of(field)]
    assert undocumented(names, text_of("docs/settings.md")) == []


def test_every_endpoint_is_documented(tmp_path: Path) -> None:
    told = [*headings(API), *re.findall(r"`(\w+ /[^`]*)`", INGEST)]
    assert [one for one in endpoints(tmp_path) if one not in told] == []


def test_no_endpoint_is_documented_that_is_not_there(tmp_path: Path) -> None:
    told = [heading for heading in headings(API) if re.match("(GET|POST|DELETE) /", heading)]
    assert sorted(set(told) - set(endpoints(tmp_path))) == []


def test_every_word_of_the_command_line_has_its_entry() -> None:
    entries = [heading for heading in headings(CLI) if heading.startswith("pointsman ")]
    assert sorted(entries) == sorted(f"pointsman {word}" for word in WORDS)


@pytest.mark.parametrize("word", WORDS)
def test_every_option_is_documented(word: str) -> None:
    words = [WORDS[word], *getattr(WORDS[word], "commands", {}).values()]
    params = [param for one in words for param in one.params]
    options = [name for one in params for name in one.opts if name.startswith("--")]
    assert [option for option in options if option not in CLI] == []


def test_every_word_below_a_word_is_documented() -> None:
    below = [f"{word} {one}" for word in WORDS for one in getattr(WORDS[word], "commands", {})]
    assert len(below) > 3
    assert [words for words in below if f"`pointsman {words}" not in CLI] == []


def test_every_channel_has_its_entry_and_its_example() -> None:
    assert [name for name in CHANNELS if name not in headings(CHANNELS_PAGE)] == []
    shown = {block.text.strip() for block in blocks("yaml channel")}
    assert shown == {text for kind in CHANNELS.values() for text in examples(kind)}


def test_every_adapter_has_its_entry_and_its_paths() -> None:
    assert [one.name for one in ADAPTERS if one.name not in headings(INGEST)] == []
    paths = [f"POST {path}" for adapter in ADAPTERS for path in adapter.paths]
    assert undocumented(paths, INGEST) == []


def test_every_kind_of_condition_has_its_entry() -> None:
    assert [key for key in KINDS if key not in headings(RULES)] == []


def test_every_key_of_the_rules_file_is_documented() -> None:
    keys = [field.alias or name for entry in ENTRIES for name, field in entry.model_fields.items()]
    keys += [name for name in Policy.model_fields if name != "notify"]
    keys += [f"notify.{name}" for name in Notify.model_fields]
    assert undocumented(set(keys) - KINDS.keys(), RULES) == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (Outcome, ARCHITECTURE),
        (Reason, ARCHITECTURE),
        (State, ARCHITECTURE),
        (Step, RULES),
        (Verdict, RULES),
        (Severity, RULES),
    ],
)
def test_every_word_of_a_decision_is_explained(words: object, text: str) -> None:
    assert undocumented(get_args(words), text) == []


def test_every_label_of_a_silence_is_documented() -> None:
    assert undocumented(LABELS, text_of("docs/silences.md")) == []


def test_every_metric_is_documented() -> None:
    families = Telemetry().registry.collect()
    names = [f"{one.name}_total" if one.type == "counter" else one.name for one in families]
    assert undocumented(names, OPERATING) == []
    assert sorted(set(re.findall(r"`(pointsman_[a-z_]+)`", OPERATING)) - set(names)) == []


def test_every_refusal_is_documented_and_counted_from_the_start() -> None:
    raised = codes("service", "InvalidEventError")
    raised |= {
        "too_large",
        "disconnected",
        "unauthorized",
        "refused_origin",
        "store_unavailable",
        "spool_full",
        "internal_error",
    }  # the endpoint's own
    assert raised - {"not_one_event"} == set(REJECTIONS)
    assert undocumented(raised, INGEST) == []


def test_every_failure_of_a_delivery_is_documented() -> None:
    kinds = ("TemporaryError", "PermanentError", "RefusedError")
    raised = codes("routers", *kinds) | codes("service", *kinds) | set(CODES.values())
    assert undocumented(raised | {"rejected", "server_error"}, CHANNELS_PAGE) == []


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_rules_file_that_is_shown_loads(block: Block) -> None:
    assert block.text.startswith("version: 1")
    assert load_rules(FakeTree({"shown.yaml": block.text}), "shown.yaml", {}).problems == ()


def test_the_rules_that_are_shown_broken_are_broken() -> None:
    (block,) = blocks("yaml broken")
    assert load_rules(FakeTree({"broken.yaml": block.text}), "broken.yaml", {}).problems != ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](#one) [b](#two) [c](none.md) [d](page.md#one)\n")
    assert list(broken_links(page)) == ["#two", "none.md"]


def test_every_word_of_make_that_the_readme_names_is_there() -> None:
    targets = re.findall(r"^(\w+):", text_of("Makefile"), re.MULTILINE)
    named = re.findall(r"make (\w+)", "\n".join(page.read_text() for page in PAGES))
    assert sorted(set(named) - set(targets)) == []
