"""What other systems run: the GitHub Action on a real repository, and the recipes of both hooks."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main
import yaml

from service.cli import app as cli
from tests import monorepo
from tests.documents import ROOT, text_of
from tests.workflow import commands

WORDS = typer.main.get_command(cli).commands  # type: ignore[attr-defined]  # a click group
ACTION: dict[str, Any] = yaml.safe_load(text_of("action.yml"))
HOOKS: list[dict[str, Any]] = yaml.safe_load(text_of(".pre-commit-hooks.yaml"))
SCRIPT = ROOT / "ci" / "action.sh"


class Ran(NamedTuple):
    exit_code: int
    places: set[tuple[str, str, int]]  # level, file, line
    summary: str
    log: str


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Beside it: a folder with the `pointsman` that the Action installs."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pointsman"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m service.cli "$@"\n')
    program.chmod(0o755)
    (tmp_path / "checkout").mkdir()
    monorepo.make(tmp_path / "checkout")
    return tmp_path / "checkout"


def run(checkout: Path, **inputs: str) -> Ran:
    summary = checkout.parent / "summary.md"
    summary.write_text("")
    environ = {name: value for name, value in os.environ.items() if "POINTSMAN" not in name}
    environ |= {
        "PATH": f"{checkout.parent / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_WORKSPACE": str(checkout),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    ran = subprocess.run(
        [SCRIPT], cwd=checkout, env=environ | inputs, capture_output=True, text=True, check=False
    )
    places = {
        (one.level, one.properties["file"], int(one.properties["line"]))
        for one in commands(ran.stdout + ran.stderr)
    }
    return Ran(ran.returncode, places, summary.read_text(), ran.stdout + ran.stderr)


def test_each_finding_is_annotated_at_its_file_and_line(checkout: Path) -> None:
    base = monorepo.git(checkout, "rev-parse", "HEAD")
    root = monorepo.ROOT_RULES.replace("], owner: web", "], owner: pay")
    pay = monorepo.PAY.replace("app/pay/}", "app/pay/, ownr: pay}")
    monorepo.write(checkout, {"ownership_rules.yaml": root, "teams/pay.yaml": pay})
    ran = run(checkout, BASE=base)
    assert ran.exit_code == 1
    assert ran.places == {
        ("error", "teams/pay.yaml", 5),
        ("error", "ownership_rules.yaml", 8),
        *(("warning", file, line) for file, line, _ in monorepo.FINDINGS),
    }
    assert "ownr" in pay.splitlines()[5 - 1]
    assert "### Owners that change" in ran.summary
    assert "    pay -> web: 3 files\n      server/app/pay/a.py\n" in ran.summary


def test_a_change_without_findings_passes_and_is_summed_up(checkout: Path) -> None:
    quiet = {
        "teams/pay.yaml": "version: 1\nteam: pay\nteams: {pay: {receivers: []}}\n"
        "rules: [{path: /server/app/pay/}]\n"
    }
    monorepo.write(checkout, quiet)
    base = monorepo.commit(checkout)
    more = quiet["teams/pay.yaml"].replace("app/pay/}", "app/pay/}, {path: /server/app/web/a.py}")
    monorepo.write(checkout, {"teams/pay.yaml": more})
    rules = (checkout / "ownership_rules.yaml").read_text()
    monorepo.write(checkout, {"ownership_rules.yaml": rules.replace("web/a.py", "web/b.py")})
    ran = run(checkout, BASE=base, RESTRICT="true")
    assert (ran.exit_code, ran.places) == (0, set()), ran.log
    assert "    web -> pay: 1 file\n      server/app/web/a.py\n" in ran.summary
    assert "    1 of 12 files change owner" in ran.summary


def test_team_files_are_restricted_where_asked(checkout: Path) -> None:
    more = monorepo.PAY + "  - {path: /server/app/web/a.py, owner: web}\n"
    monorepo.write(checkout, {"teams/pay.yaml": more})
    assert ("error", "teams/pay.yaml", 8) not in run(checkout).places
    assert ("error", "teams/pay.yaml", 8) in run(checkout, RESTRICT="true").places


@pytest.mark.parametrize("base", ["0" * 40, "--upload-pack=touch pwned", "no such", "HEAD:x"])
def test_a_base_that_is_not_there_is_said_in_the_summary(checkout: Path, base: str) -> None:
    ran = run(checkout, BASE=base)
    assert "There is nothing to compare with:" in ran.summary
    assert len(ran.places) == len(monorepo.FINDINGS)
    assert not list(checkout.glob("pwned"))


def test_a_shallow_checkout_fetches_its_base(checkout: Path, tmp_path: Path) -> None:
    base = monorepo.git(checkout, "rev-parse", "HEAD")
    monorepo.git(checkout, "config", "uploadpack.allowAnySHA1InWant", "true")
    monorepo.write(checkout, {"teams/risk.yaml": monorepo.RISK.replace("risk/", "none/")})
    monorepo.commit(checkout)
    shallow = tmp_path / "shallow"
    monorepo.git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{checkout}", str(shallow))
    assert "    risk -> pay: 3 files" in run(shallow, BASE=base).summary


def test_text_of_the_rules_file_is_no_command_in_the_log(checkout: Path) -> None:
    sly = monorepo.ROOT_RULES + 'default: "x\\n::stop-commands::y"\n'
    monorepo.write(checkout, {"ownership_rules.yaml": sly})
    ran = run(checkout)
    assert ("error", "ownership_rules.yaml", 9) in ran.places
    assert {level for level, _, _ in ran.places} == {"error", "warning"}


def test_the_action_gives_the_script_what_it_reads() -> None:
    assert ACTION["runs"]["using"] == "composite"
    *_, last = ACTION["runs"]["steps"]
    assert last["run"].endswith('"$GITHUB_ACTION_PATH/ci/action.sh"')
    read = set(re.findall(r"\$\{?([A-Z]+)\b", SCRIPT.read_text()))
    assert set(last["env"]) == read
    assert {f"inputs.{name}" for name in ACTION["inputs"]} == {
        value.strip("${} ") for value in last["env"].values()
    }
    assert os.access(SCRIPT, os.X_OK)


def test_no_script_of_the_action_has_an_expression_in_it() -> None:
    """An expression is put into the script as text: whoever names a branch would write code."""
    assert [step for step in ACTION["runs"]["steps"] if "${{" in step.get("run", "")] == []


def test_the_action_installs_what_is_locked() -> None:
    installs = [
        line
        for step in ACTION["runs"]["steps"]
        for line in step.get("run", "").splitlines()
        if "pip" in line
    ]
    assert ["--require-hashes -r requirements.lock" in line for line in installs] == [True, False]
    assert "--no-deps --no-build-isolation ." in installs[1]


def test_every_input_of_the_action_is_documented() -> None:
    page = text_of("docs/ci.md")
    assert [name for name in ACTION["inputs"] if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("text", [SCRIPT.read_text(), text_of("docs/ci.md")])
def test_every_call_that_is_written_down_has_words_and_options_of_the_cli(text: str) -> None:
    calls = re.findall(r"\bpointsman (\w+ [^)\n|&]*)", text)
    assert len(calls) > 2
    for call in calls:
        word, *rest = shlex.split(call.replace("$(", ""), comments=True)
        options = {name for parameter in WORDS[word].params for name in parameter.opts}
        assert {one for one in rest if one.startswith("--") and one != "--"} <= options


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_runs_a_word_of_the_cli_on_rules_files(hook: dict[str, Any]) -> None:
    program, word = hook["entry"].split()
    assert (program, hook["id"]) == ("pointsman", f"pointsman-{word}")
    assert word in WORDS
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    wanted = ["ownership_rules.yaml", "teams/pay.yaml", "x/owners.yaml", ".github/CODEOWNERS"]
    others = ["server/app.py", "my_ownership_rules.yaml.txt", "steams/pay.yaml"]
    files = [name for name in [*wanted, *others] if re.search(hook["files"], name)]
    assert files == wanted
