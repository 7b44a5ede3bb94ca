"""The command line: stdout is the answer, stderr the talk; 0 fine, 1 findings, 2 misuse."""

import json
import os
import socket
from pathlib import Path

import pytest

from tests.running_cli import pointsman

DATA = Path(__file__).parent / "data"
TRACEBACK = (DATA / "captures" / "text" / "python-chained.txt").read_text()
RULES = """version: 1
source_roots: ["/srv/monolith/*/python/"]
teams: {db: {aliases: ["@acme/db"]}, billing: {}, web: {}}
rules:
  - {path: /shop/billing/, owner: billing}
  - {path: /shop/common/, owner: db, transparent: true}
  - {path: /shop/web/, owner: web}
  - {path: /gen/, unowned: true}
tests:
  - {frames: [shop/billing/invoice.py, shop/common/db.py], owner: billing}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def test_explain_names_the_owner_of_a_traceback_and_prints_the_trail(rules: Path) -> None:
    answer = pointsman("explain", "-", "--rules", rules, given=TRACEBACK)
    lines = answer.out.splitlines()
    assert (answer.exit_code, answer.talk) == (0, "")
    assert lines[0] == "DatabaseError: cannot parse dsn 'db.internal'"
    assert "shop/common/db.py:12 in connect" in lines[3]
    assert "path: /shop/common/  ← shared code: passed on" in lines[3]
    assert lines[-1].startswith("→ billing · step frame · ")
    assert lines[-1].endswith("path: /shop/billing/ · told through log")


@pytest.mark.parametrize(
    ("team", "exit_code"), [("billing", 0), ("db", 1), ("@acme/db", 1), ("nobody", 1)]
)
def test_expect_is_a_test_for_ci(rules: Path, team: str, exit_code: int) -> None:
    answer = pointsman("explain", "-", "--rules", rules, "--expect", team, given=TRACEBACK)
    assert answer.exit_code == exit_code
    assert bool(answer.talk) is bool(exit_code)


GROUPING = """grouping:
  - {path: /shop/common/, fingerprint: [down], title: "{{ type }} in {{ function }}"}
  - {path: /shop/none/, title: "no"}
"""


def test_explain_says_what_groups_it_and_what_the_group_is_called(rules: Path) -> None:
    def explained() -> list[str]:
        return pointsman("explain", "-", "--rules", rules, given=TRACEBACK).out.splitlines()

    assert explained()[-2].endswith(" · by its types, calls and message")
    rules.write_text(RULES + GROUPING)
    lines = explained()
    assert lines[0] == "DatabaseError in connect"
    assert lines[-2].startswith("group v2:")
    assert lines[-2].endswith("rules.yaml:12  path: /shop/common/")


def test_explain_takes_an_event_and_an_envelope_as_json(rules: Path) -> None:
    short = json.dumps({"frames": ["shop/web/x.py"]})
    frames = [{"filename": "shop/web/x.py"}]
    event = json.dumps({"exception": [{"stacktrace": {"frames": frames}}]})
    for given in (short, event, f'{{}}\n{{"type":"event"}}\n{event}'):
        answer = pointsman("explain", "-", "--rules", rules, "--json", given=given)
        assert json.loads(answer.out)["owners"] == ["web"]


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "/no/such/file"),
        ("explain", "-"),
        ("who",),
        ("who", "x", "--rules", "/no/such/file"),
        ("nonsense",),
        ("check", "--nonsense"),
    ],
)
def test_misuse_exits_with_2(words: tuple[str, ...]) -> None:
    answer = pointsman(*words, given="no traceback")
    assert (answer.exit_code, answer.out) == (2, "")
    assert answer.talk


def test_who_prints_paths_with_their_owners(rules: Path) -> None:
    answer = pointsman("who", "shop/web/x.py", "-", "--rules", rules, given="gen/y.py\nz\n")
    assert answer.out.splitlines() == [
        "shop/web/x.py  web",
        f"gen/y.py       (unowned on purpose: {rules}:8)",
        "z              (unowned)",
    ]


def test_check_prints_every_problem_and_exits_with_1(rules: Path) -> None:
    rules.write_text(RULES.replace("owner: web", "owner: wep").replace("gen/, un", "gen/, um"))
    answer = pointsman("check", "--rules", rules)
    assert answer.exit_code == 1
    assert answer.out.splitlines() == [
        f'{rules}:7:31: unknown team "wep" — did you mean "web"?',
        f'{rules}:8:19: unknown key "umowned" — did you mean "unowned"?',
    ]
    assert answer.talk == "2 problems\n"


def test_check_asks_for_secrets_only_where_told_to(rules: Path) -> None:
    rules.write_text(RULES + "channels: {x: {slack: {webhook_url: $NOT_SET}}}\n")
    assert pointsman("check", "--rules", rules).exit_code == 0
    answer = pointsman("check", "--rules", rules, "--secrets")
    assert (answer.exit_code, answer.out) == (1, 'channel "x": $NOT_SET is not set\n')


def test_who_and_explain_decide_with_what_loads(rules: Path) -> None:
    rules.write_text(RULES + "rulez: []\n")
    answer = pointsman("who", "shop/web/x.py", "--rules", rules)
    assert (answer.exit_code, answer.out) == (0, "shop/web/x.py  web\n")
    assert 'unknown key "rulez"' in answer.talk


def test_the_tests_of_the_rules_file_are_run(rules: Path) -> None:
    assert pointsman("test", "--rules", rules).talk == "1 passed, 0 failed\n"
    rules.write_text(RULES.replace("db.py], owner: billing", "db.py], owner: db, step: frame"))
    answer = pointsman("test", "--rules", rules)
    assert answer.exit_code == 1
    assert answer.out == (
        f"{rules}:10: expected db by step frame, got billing by step frame: "
        f"shop/billing/invoice.py — path: /shop/billing/ ({rules}:5)\n"
    )


def test_config_shows_where_each_setting_came_from_and_no_secret() -> None:
    env = {"POINTSMAN_ADMIN_TOKEN": "s3cret", "PORT": "9000", "POINTSMAN_RULEZ": "x"}
    answer = pointsman("config", "--json", env=env)
    shown = json.loads(answer.out)
    assert shown["port"] == {"value": "9000", "from": "PORT"}
    assert shown["admin_token"] == {"value": "**********", "from": "POINTSMAN_ADMIN_TOKEN"}
    assert "s3cret" not in answer.out + answer.talk
    assert 'did you mean "POINTSMAN_RULES"' in answer.talk


@pytest.mark.parametrize(
    "env", [{}, {"POINTSMAN_ADMIN_TOKEN": "t"}, {"POINTSMAN_INGEST_KEYS": "k:1"}]
)
def test_serve_refuses_an_open_door_beyond_loopback_and_prints_a_pair(env: dict[str, str]) -> None:
    answer = pointsman("serve", "--host", "0.0.0.0", env=env)  # noqa: S104
    assert answer.exit_code == 2
    assert "export POINTSMAN_INGEST_KEYS=" in answer.talk
    assert "export POINTSMAN_ADMIN_TOKEN=" in answer.talk


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("rules.yaml", "file is not a database"),
        ("rules.yaml/x/p.db", "Not a directory"),
    ],
)
def test_a_database_that_cannot_be_opened_is_said_in_one_line(
    rules: Path, database: str, said: str
) -> None:
    path = rules.parent / database
    env = {"POINTSMAN_DATABASE_URL": f"sqlite:///{path}"}
    answer = pointsman("serve", "--rules", rules, "--port", "0", env=env)
    assert answer.exit_code == 2
    assert answer.talk == f"cannot open the database {path}: {said}\n"


def test_a_port_in_use_is_said_at_once(rules: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = pointsman("serve", "--rules", rules, "--port", port)
    assert answer.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in answer.talk


def test_why_not_says_which_rule_would_have_made_it_theirs(rules: Path) -> None:
    words = ("explain", "-", "--rules", rules, "--why-not")
    lines = pointsman(*words, "web", given=TRACEBACK).out.splitlines()
    assert lines[-2:] == [
        f"it would be web's by this as the last of `rules:`, after {rules}:8:",
        "  - {path: /shop/billing/invoice.py, owner: web}",
    ]
    assert pointsman(*words, "billing", given=TRACEBACK).out.endswith("it is billing's already\n")
    answer = pointsman(*words, "wep", given=TRACEBACK)
    assert (answer.exit_code, answer.talk) == (2, 'unknown team "wep" — did you mean "web"?\n')


def test_names_that_are_not_utf_8_are_answered(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / os.fsdecode(b"shop\xff.py")).touch()
    words = ["--repo", tmp_path / "repository", "--rules", rules, "--json"]
    assert json.loads(pointsman("coverage", *words).out)["unowned"] == ["shop\ufffd.py"]
    (found,) = json.loads(pointsman("who", "shop\udcff.py", "--rules", rules, "--json").out)
    assert found["path"] == "shop\ufffd.py"


def test_brackets_in_paths_are_no_markup(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "files").write_text("gen/[slug]/[/b].py")
    words = ["--rules", rules, "--repo", tmp_path / "files"]
    assert "gen/[slug]/" in pointsman("coverage", *words).out
    event = json.dumps({"frames": ["gen/[slug]/[/b].py"]})
    assert "gen/[slug]/[/b].py is unowned" in pointsman("explain", "-", *words, given=event).out


def test_coverage_is_a_test_for_ci(rules: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.write_text("shop/web/a.py\nshop/web/b.py\ngen/c.py\nREADME.md\n")
    words = ("coverage", "--rules", rules, "--repo", files)
    assert pointsman(*words, "--fail-under", 66).exit_code == 0
    answer = pointsman(*words, "--fail-under", 67)
    assert (answer.exit_code, answer.talk) == (1, "66.7 % is under 67 %\n")
    shown = json.loads(pointsman(*words, "--json").out)
    assert shown["teams"] == {"web": 2, "(unowned on purpose)": 1, "(unowned)": 1}
    assert [rule["text"] for rule in shown["dead_rules"]] == [
        "path: /shop/billing/",
        "path: /shop/common/",
    ]
    assert pointsman("coverage", "--rules", rules, "--repo", "/no/such").exit_code == 2


def test_a_checkout_gives_a_frame_its_path(rules: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "shop/web").mkdir(parents=True)
    (repository / "shop/web/pay.py").touch()
    event = json.dumps({"frames": ["/opt/anywhere/web/pay.py"]})
    words = ("explain", "-", "--rules", rules, "--expect", "web")
    assert pointsman(*words, given=event).exit_code == 1
    assert pointsman(*words, "--repo", repository, given=event).exit_code == 0


def test_an_import_is_a_rules_file_that_check_finds_no_problem_in(tmp_path: Path) -> None:
    given = "* @acme/web\n!x @b\n"
    answer = pointsman("import", "codeowners", "-", given=given)
    path = tmp_path / "rules.yaml"
    path.write_text(answer.out)
    assert (answer.exit_code, answer.talk.startswith("-:2: ")) == (0, True)
    assert pointsman("check", "--rules", path).exit_code == 0
    made = json.loads(pointsman("import", "codeowners", "-", "--json", given=given).out)
    assert made == {"file": answer.out, "left_out": [answer.talk.strip()]}


def test_a_generated_codeowners_is_the_answer_and_nothing_else(rules: Path) -> None:
    answer = pointsman("generate", "codeowners", "--rules", rules)
    assert answer.exit_code == 0
    assert answer.out.splitlines()[3] == "/shop/common/ @acme/db"
    made = json.loads(pointsman("generate", "codeowners", "--rules", rules, "--json").out)
    assert (made["file"], made["left_out"]) == (answer.out, answer.talk.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ["import", "codeowners", "none"],
        ["import", "codeowners", "-", "--dialect", "svn"],
        ["import", "jira", "-"],
        ["generate", "codeowners", "--rules", "none"],
    ],
)
def test_what_cannot_be_imported_or_generated_is_misuse(words: list[str]) -> None:
    assert pointsman(*words).exit_code == 2


def test_it_says_which_version_it_is() -> None:
    answer = pointsman("--version")
    assert (answer.exit_code, answer.out.split()[0]) == (0, "pointsman")
    assert answer.out.split()[1][0].isdigit()
