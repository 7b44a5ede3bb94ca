"""Whatever a decision names as its file can be opened: from where the rules file was named."""

import json
from pathlib import Path

import pytest

from tests import monorepo
from tests.running_cli import pointsman
from tests.workflow import commands

FILES = {
    "ops/ownership_rules.yaml": """version: 1
teams: {web: {}, pay: {aliases: ["@acme/pay"]}}
rules:
  - {codeowners: ../.github/CODEOWNERS}
  - {owners_yaml: ../server}
  - {module_files: "../**/module.yaml"}
  - {annotations: "../lib/**/*.py"}
  - {codeowner_files: ..}
  - {include: teams/*.yaml}
""",
    "ops/teams/web.yaml": "version: 1\nteam: web\nrules: [{path: /web/}]\n",
    ".github/CODEOWNERS": "/docs/ @acme/pay\n/gone/ @acme/gone\n",
    "server/a/owners.yaml": "version: 1\nowners: pay\n",
    "jobs/module.yaml": "owner: pay\n",
    "lib/a.py": "# @team pay\n",
    "tools/.codeowner": "web\n",
    "web/a.py": "",
}
DECIDES = {
    "docs/a.md": ".github/CODEOWNERS",
    "server/a/x.py": "server/a/owners.yaml",
    "jobs/x.py": "jobs/module.yaml",
    "lib/a.py": "lib/a.py",
    "tools/x": "tools/.codeowner",
    "web/x.py": "ops/teams/web.yaml",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    monorepo.write(tmp_path / "repo", FILES)
    monorepo.git(tmp_path / "repo", "init", "--quiet", ".")
    monorepo.commit(tmp_path / "repo")
    return tmp_path / "repo"


def shown(rules: str | Path) -> dict[str, str]:
    """By the path that is asked for."""
    found = json.loads(pointsman("who", *DECIDES, "--rules", rules, "--json").out)
    return {one["path"]: one["rule"]["file"] for one in found}


def test_from_the_repositorys_root_the_files_are_its_paths(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    assert shown("ops/ownership_rules.yaml") == DECIDES


@pytest.mark.parametrize(
    ("here", "rules"),
    [
        (".", "repo/ops/ownership_rules.yaml"),
        ("repo/ops", "ownership_rules.yaml"),
        ("repo/web", "../ops/ownership_rules.yaml"),
        ("repo/.github", "{there}/repo/ops/ownership_rules.yaml"),
    ],
)
def test_from_elsewhere_they_are_shown_as_the_rules_file_was_named(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, here: str, rules: str
) -> None:
    monkeypatch.chdir(checkout.parent / here)
    found = shown(rules.format(there=checkout.parent))
    same = {path: Path(file).samefile(checkout / DECIDES[path]) for path, file in found.items()}
    assert same == dict.fromkeys(DECIDES, True)
    assert Path(found["web/x.py"]).is_absolute() is rules.startswith("{there}")


def test_inside_the_folder_the_rules_file_keeps_its_name(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout / "ops")
    found = shown("ownership_rules.yaml")
    assert (found["web/x.py"], found["docs/a.md"]) == ("teams/web.yaml", "../.github/CODEOWNERS")


def test_a_problem_of_an_included_file_is_annotated_at_its_place(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for here, rules in ((checkout, "ops/ownership_rules.yaml"), (checkout / "ops", None)):
        monkeypatch.chdir(here)
        words = ["--rules", rules] if rules else []
        answer = pointsman(
            "check", *words, "--format", "github", env={"GITHUB_WORKSPACE": str(checkout)}
        )
        (one,) = commands(answer.out)
        assert (one.properties["file"], one.properties["line"]) == (".github/CODEOWNERS", "2")


def test_in_a_commit_they_are_named_with_it(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    answer = pointsman("diff", "git:HEAD:ops/ownership_rules.yaml", "ops/ownership_rules.yaml")
    said = [line.partition(" ")[0] for line in answer.talk.splitlines()]
    assert said == ["git:HEAD:.github/CODEOWNERS:2:1:", ".github/CODEOWNERS:2:1:", "0"]


def test_without_a_repository_nothing_above_the_rules_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monorepo.write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    answer = pointsman("check", "--rules", "ops/ownership_rules.yaml")
    assert answer.out.count("ops/ownership_rules.yaml:") == answer.out.count("\n") == 5
    assert "a link that leads out of the repository" in answer.out


def test_nothing_above_the_repository_is_read(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monorepo.write(checkout.parent, {"CODEOWNERS": "* @acme/pay\n", "teams/x.yaml": "version: 1\n"})
    sly = "version: 1\nteams: {pay: {}}\nrules: [{codeowners: %s}, {include: ../../teams/*.yaml}]\n"
    monkeypatch.chdir(checkout)
    for file in ("../../CODEOWNERS", str(checkout.parent / "CODEOWNERS")):
        monorepo.write(checkout, {"ops/ownership_rules.yaml": sly % file})
        answer = pointsman("check", "--rules", "ops/ownership_rules.yaml")
        assert answer.out.count("\n") == 2
        assert "fits no file" in answer.out
        assert "leads out of the repository" in answer.out
