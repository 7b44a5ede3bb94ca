"""What reviews a change of the rules: check --repo, coverage --require, diff."""

import json
from pathlib import Path

import pytest

from matchers.errors import Origin
from service.cli.findings import command
from service.findings import Finding
from tests import monorepo
from tests.running_cli import pointsman

HEAD = "git:HEAD"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with a commit, and the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monorepo.make(tmp_path)
    return tmp_path


def test_check_beside_a_repository_finds_what_the_rules_do_there(checkout: Path) -> None:
    assert pointsman("check").exit_code == 0
    answer = pointsman("check", "--repo", ".", "--format", "json")
    shown = json.loads(answer.out)
    found = {(one["file"], one["line"], one["kind"]) for one in shown["findings"]}
    assert (answer.exit_code, answer.talk, found) == (1, "4 findings\n", monorepo.FINDINGS)
    assert (shown["problems"], shown["unset"]) == ([], [])
    assert pointsman("check", "--repo", ".", "--json").out == answer.out
    lines = pointsman("check", "--repo", ".").out.splitlines()
    assert lines == [
        'teams/pay.yaml:3:9: the team "pay" names no receivers: log is told instead',
        "teams/pay.yaml:6:5: matches 3 files and wins none: path: /server/app/risk/"
        " — beaten by teams/risk.yaml:5  path: /server/app/risk/",
        "teams/pay.yaml:7:5: matches no file: path: /gone/",
        "teams/risk.yaml:5:5: takes 3 files that teams/pay.yaml:6 claims too:"
        " server/app/risk/a.py, server/app/risk/b.py, …",
    ]


def test_check_counts_problems_and_findings_apart(checkout: Path) -> None:
    (checkout / "teams/risk.yaml").write_text(monorepo.RISK + "rulez: []\n")
    answer = pointsman("check", "--repo", ".", "--format", "github")
    assert answer.talk == "1 problem, 4 findings\n"
    assert [line.partition(" ")[0] for line in answer.out.splitlines()] == [
        "::error",
        *["::warning"] * 4,
    ]


def test_team_files_may_be_restricted_to_their_team(checkout: Path) -> None:
    more = "  - {path: /server/app/web/, owner: web}\n"
    (checkout / "teams/pay.yaml").write_text(monorepo.PAY + more)
    assert pointsman("check").exit_code == 0
    answer = pointsman("check", "--restrict-team-files")
    assert answer.exit_code == 1
    assert answer.out == (
        "teams/pay.yaml:8:5: team files are restricted: this one may not assign to web\n"
    )


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (
            Finding("problem", Origin("a,b:c%.yaml", 3, 4), "50%\r\nof, these: …"),
            "::error file=a%2Cb%3Ac%25.yaml,line=3,col=4::50%25%0D%0Aof, these: …",
        ),
        (Finding("dead_rule", Origin("x.yaml", 1), "m"), "::warning file=x.yaml,line=1,col=1::m"),
        (Finding("unset_secret", None, "::x"), "::error::::x"),
    ],
)
def test_a_workflow_command_is_escaped(
    finding: Finding, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert command(finding) == said


def test_github_is_told_files_from_the_root_of_its_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(checkout))
    monkeypatch.chdir(checkout / "server")
    words = ("check", "--format", "github", "--repo", "..", "--rules")
    for rules in (checkout / "ownership_rules.yaml", "../ownership_rules.yaml"):
        files = [line.split("file=")[1] for line in pointsman(*words, rules).out.splitlines()]
        assert len(files) == 4
        assert all(one.startswith("teams/") for one in files)


def test_a_failed_test_is_annotated(checkout: Path) -> None:
    rules = checkout / "ownership_rules.yaml"
    rules.write_text(monorepo.ROOT_RULES.replace("], owner: web", "], owner: pay"))
    answer = pointsman("test", "--format", "github")
    assert answer.exit_code == 1
    assert answer.out.startswith("::error file=ownership_rules.yaml,line=8,col=1::expected pay")


def test_required_directories_have_exactly_one_owner(checkout: Path) -> None:
    words = ("coverage", "--require", "server/app/*")
    assert pointsman(*words).exit_code == 0
    more = "  - {path: /server/app/web/a.py}\n"
    (checkout / "teams/pay.yaml").write_text(monorepo.PAY + more)
    answer = pointsman(*words, "--require", "nowhere/*")
    assert "server/app/web/: 2 owners: web 2, pay 1" in answer.out.splitlines()
    assert (answer.exit_code, answer.talk.splitlines()) == (
        1,
        [
            "server/app/*: 1 of 3 directories have not just one owner",
            "nowhere/*: fits no directory",
        ],
    )
    shown = json.loads(pointsman(*words, "--json").out)["required"]
    assert shown == [{"directory": "server/app/web/", "owners": {"web": 2, "pay": 1}}]


def test_diff_tells_which_files_change_owner(checkout: Path) -> None:
    (checkout / "teams/pay.yaml").write_text(monorepo.PAY.replace("app/pay/", "app/pay/a.py"))
    words = ("diff", HEAD, "ownership_rules.yaml")
    answer = pointsman(*words, "--examples", 1)
    assert (answer.exit_code, answer.talk) == (0, "2 of 12 files change owner\n")
    assert answer.out == "pay -> web: 2 files\n  server/app/pay/b.py\n  … 1 more\n"
    assert pointsman(*words, "--fail-on-change").exit_code == 1
    assert json.loads(pointsman(*words, "--json", "--examples", 1).out) == {
        "files": 12,
        "changed": 2,
        "changes": [
            {"from": ["pay"], "to": ["web"], "files": 2, "examples": ["server/app/pay/b.py"]}
        ],
    }
    monorepo.commit(checkout)
    assert pointsman("diff", f"{HEAD}~1:ownership_rules.yaml", HEAD).out.startswith("pay -> web")
    assert pointsman("diff", HEAD, "ownership_rules.yaml", "--fail-on-change").exit_code == 0


def test_diff_reads_team_files_beside_the_rules_of_a_folder(checkout: Path) -> None:
    monorepo.write(checkout, {f"etc/{name}": text for name, text in monorepo.FILES.items()})
    monorepo.commit(checkout)
    (checkout / "etc/teams/risk.yaml").write_text(monorepo.RISK.replace("risk/", "none/"))
    for spelled in ("etc", "./etc", "etc/", "etc/../etc"):
        committed = f"{HEAD}:{spelled}/ownership_rules.yaml"
        answer = pointsman("diff", committed, "etc/ownership_rules.yaml")
        assert answer.out.startswith("risk -> pay: 3 files\n")


def test_diff_reads_a_rules_file_that_is_a_link_where_it_leads_to(checkout: Path) -> None:
    monorepo.write(checkout, {f"etc/{name}": text for name, text in monorepo.FILES.items()})
    (checkout / "etc/teams/risk.yaml").unlink()
    (checkout / "rules.yaml").symlink_to("etc/ownership_rules.yaml")
    monorepo.commit(checkout)
    answer = pointsman("diff", f"{HEAD}:rules.yaml", "rules.yaml")
    assert answer.talk.startswith("0 of ")


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("git:", "git:: no revision of git"),
        ("git:--upload-pack=touch x", "git:--upload-pack=touch x: no revision of git"),
        ("git:nope", "git:nope: "),
        ("git:HEAD:no.yaml", "git:HEAD:no.yaml: No such file"),
        ("git:HEAD:../ownership_rules.yaml", "git:HEAD:../ownership_rules.yaml: No such file"),
        ("no.yaml", "no.yaml: No such file"),
    ],
)
def test_a_version_that_is_not_there_is_misuse(checkout: Path, version: str, said: str) -> None:
    for versions in ((version, HEAD), (HEAD, version)):
        answer = pointsman("diff", *versions)
        assert (answer.exit_code, answer.out) == (2, "")
        assert answer.talk.startswith(said)
    assert not (checkout / "x").exists()


def test_the_problems_of_a_version_are_said_and_the_rest_compared(checkout: Path) -> None:
    (checkout / "teams/pay.yaml").write_text("version: 2\n")
    monorepo.commit(checkout)
    answer = pointsman("diff", f"{HEAD}~1", HEAD)
    assert answer.exit_code == 0
    assert "pay -> web: 3 files" in answer.out
    assert "git:HEAD:teams/pay.yaml:1:10:" in answer.talk
