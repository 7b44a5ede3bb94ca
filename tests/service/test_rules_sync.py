"""The rules of a git repository, with real repositories: followed, and never worse than before."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from service.git import GitError
from service.rules_git import Git, masked
from service.settings import SettingsError
from service.settings_load import load_settings
from tests.running import wait_for
from tests.service.house import running
from tests.service.test_rules_watch import owner, status, team

ROOT = "version: 1\nteams: {platform: {}}\nrules: [{include: teams/*.yaml}]\n"
AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgSign=false")
FILES = {
    "conf/rules.yaml": ROOT,
    "conf/teams/payments.yaml": team("payments", "/billing/"),
    "conf/teams/search.yaml": team("search", "/search/"),
    "billing/deep/tax.py": "",
}


class Repository:
    """A bare one, which is pushed to from a checkout, as people do."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder / "remote.git")
        self._work = folder / "work"
        self._git("init", "-q", "--bare", "-b", "main", self.url, inside=False)
        self._git("init", "-q", "-b", "main", str(self._work), inside=False)

    def push(self, files: dict[str, str], *options: str) -> str:
        """The commit's id."""
        self._commit(files, *options)
        self._git("push", "-q", "--force", self.url, "HEAD:main")
        return self._git("rev-parse", "HEAD")

    def _commit(self, files: dict[str, str], *options: str) -> None:
        for name, text in files.items():
            (self._work / name).parent.mkdir(parents=True, exist_ok=True)
            (self._work / name).write_text(text)
        self._git("add", "--all")
        self._git(*AUTHOR, "commit", "-q", "--allow-empty", "-m", "a change", *options)

    def push_back(self, commit: str) -> None:
        self._git("reset", "-q", "--hard", commit)
        self._git("push", "-q", "--force", self.url, "HEAD:main")

    def merge(self, files: dict[str, str]) -> str:
        """Commits beside the newest one, and then joins both."""
        self._git("checkout", "-q", "-b", "side", "HEAD~1")
        self._commit(files)
        self._git("checkout", "-q", "main")
        self._git(*AUTHOR, "merge", "-q", "--no-ff", "--no-edit", "side")
        return self.push({})

    def delete_branch(self) -> None:
        self._git(f"--git-dir={self.url}", "update-ref", "-d", "refs/heads/main", inside=False)

    def _git(self, *arguments: str, inside: bool = True) -> str:
        where = ("-C", str(self._work)) if inside else ()
        done = subprocess.run(("git", *where, *arguments), check=True, capture_output=True)  # noqa: S607
        return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.push(FILES)
    return made


@contextmanager
def following(tmp_path: Path, url: str, **more: Any) -> Iterator[TestClient]:
    asked = {"rules": Path("conf/rules.yaml"), "rules_repository_poll_seconds": 0.1} | more
    (tmp_path / "house").mkdir(exist_ok=True)
    with running(tmp_path / "house", rules_repository=SecretStr(url), **asked) as client:
        yield client


def in_force(client: TestClient, revision: str) -> None:
    wait_for(lambda: status(client)["revision"] == revision, 10)


def loud(client: TestClient) -> str:
    """What is said of a repository that cannot be fetched."""
    wait_for(lambda: status(client)["problems"], 10)
    assert "pointsman_rules_last_reload_successful 0.0" in client.get("/metrics").text
    assert "rules_not_synced" in str(client.get("/readyz").json()["warnings"])
    said: str = status(client)["problems"][-1]["message"]
    return said


def test_a_pushed_commit_is_in_force_within_the_poll_interval(
    tmp_path: Path, repository: Repository
) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: owner(client, "billing/a.py") == "payments", 10)
        pushed = repository.push({"conf/teams/search.yaml": team("search", "/finding/")})
        in_force(client, pushed)
        assert (owner(client, "finding/a.py"), owner(client, "search/a.py")) == ("search", None)
        assert status(client)["problems"] == []
        assert [one["file"] for one in status(client)["files"]] == list(FILES)[:3]


def test_the_commits_paths_are_the_repositorys(tmp_path: Path, repository: Repository) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: owner(client, "/opt/anywhere/deep/tax.py") == "payments", 10)


def test_a_broken_team_file_is_quarantined_alone(tmp_path: Path, repository: Repository) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
        broken = {
            "conf/teams/search.yaml": "rulez: [",
            "conf/teams/payments.yaml": team("payments", "/pay/"),
        }
        in_force(client, repository.push(broken))
        quarantined = [one["file"] for one in status(client)["files"] if one["quarantined"]]
        assert quarantined == ["conf/teams/search.yaml"]
        assert (owner(client, "pay/a.py"), owner(client, "search/a.py")) == ("payments", "search")


def test_a_commit_that_brings_nothing_good_names_no_revision(
    tmp_path: Path, repository: Repository
) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
        revision = status(client)["revision"]
        repository.push({"conf/rules.yaml": "rules: ["})
        wait_for(lambda: status(client)["problems"], 10)
        assert status(client)["revision"] == revision
        assert owner(client, "search/a.py") == "search"


def rewrites(client: TestClient) -> str:
    metrics = client.get("/metrics").text
    return metrics.partition("\npointsman_rules_history_rewrites_total ")[2].split("\n")[0]


def test_a_rewritten_history_is_followed_and_said(
    tmp_path: Path, repository: Repository, caplog: pytest.LogCaptureFixture
) -> None:
    with following(tmp_path, repository.url) as client:
        before = wait_for(lambda: status(client)["revision"], 10)
        assert (status(client)["rewritten"], rewrites(client)) == (None, "0.0")
        after = repository.push({"conf/teams/search.yaml": team("search", "/x/")}, "--amend")
        in_force(client, after)
        assert (owner(client, "x/a.py"), status(client)["problems"]) == ("search", [])
        said = wait_for(lambda: status(client)["rewritten"], 10)
        assert (said, rewrites(client)) == ({"before": before, "after": after}, "1.0")
    (line,) = [one for one in caplog.records if one.message == "rules_history_rewritten"]
    assert (line.levelname, vars(line)["before"], vars(line)["after"]) == ("WARNING", before, after)


def test_going_back_to_an_older_commit_is_a_rewritten_history(
    tmp_path: Path, repository: Repository
) -> None:
    older = repository.push({})
    newer = repository.push({"conf/teams/search.yaml": team("search", "/x/")})
    with following(tmp_path, repository.url) as client:
        in_force(client, newer)
        repository.push_back(older)
        in_force(client, older)
        said = wait_for(lambda: status(client)["rewritten"], 10)
        assert said == {"before": newer, "after": older}


def test_a_history_that_was_rewritten_while_nobody_looked_is_said_too(
    tmp_path: Path, repository: Repository
) -> None:
    with following(tmp_path, repository.url) as client:
        before = wait_for(lambda: status(client)["revision"], 10)
    repository.push({"x": ""}, "--amend")
    after = repository.push({"y": ""})
    with following(tmp_path, repository.url) as client:
        said = wait_for(lambda: status(client)["rewritten"], 10)
        assert said == {"before": before, "after": after}


def compared(tmp_path: Path) -> str:
    git = Git(tmp_path / "house/rules-repository/git", "")
    return git.run("rev-parse", "refs/pointsman/compared").decode().strip()


def test_a_history_that_only_grew_is_not_rewritten(
    tmp_path: Path, repository: Repository, caplog: pytest.LogCaptureFixture
) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
        for number in range(3):
            newest = repository.push({"x": str(number)})
        wait_for(lambda: compared(tmp_path) == newest, 10)
        merged = repository.merge({"z": ""})
        wait_for(lambda: compared(tmp_path) == merged, 10)
        assert (status(client)["rewritten"], rewrites(client)) == (None, "0.0")
    assert "rules_history" not in caplog.text


def test_a_history_that_cannot_be_asked_for_keeps_no_rules_back(
    tmp_path: Path, repository: Repository, caplog: pytest.LogCaptureFixture
) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
    lost = tmp_path / "house/rules-repository/git/refs/pointsman/compared"
    lost.write_text("1" * 40 + "\n")
    with following(tmp_path, repository.url) as client:
        pushed = repository.push({"conf/teams/search.yaml": team("search", "/x/")})
        in_force(client, pushed)
        wait_for(lambda: "rules_history_unknown" in caplog.text, 10)
        newest = repository.push({"conf/teams/search.yaml": team("search", "/y/")})
        in_force(client, newest)
        wait_for(lambda: compared(tmp_path) == newest, 10)
        assert (status(client)["problems"], status(client)["rewritten"]) == ([], None)


def test_a_rewritten_history_without_the_rules_changes_nothing(
    tmp_path: Path, repository: Repository
) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
        revision = status(client)["revision"]
        shutil.rmtree(tmp_path / "work/conf")
        repository.push({}, "--amend")
        wait_for(lambda: status(client)["problems"], 10)
        assert (status(client)["revision"], owner(client, "search/a.py")) == (revision, "search")


def test_a_deleted_branch_changes_nothing_until_it_is_back(
    tmp_path: Path, repository: Repository
) -> None:
    with following(tmp_path, repository.url, rules_ref="main") as client:
        wait_for(lambda: status(client)["revision"], 10)
        repository.delete_branch()
        assert "couldn't find remote ref" in loud(client)
        assert owner(client, "search/a.py") == "search"
        in_force(client, repository.push({}))
        wait_for(lambda: client.get("/readyz").json()["warnings"] == [], 10)


def test_an_unreachable_host_changes_nothing_and_no_credentials_are_said(
    tmp_path: Path, repository: Repository, caplog: pytest.LogCaptureFixture
) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"https://robot:hunter2@127.0.0.1:{port}/rules.git?token=hunter2"
    with following(tmp_path, url) as client:
        assert owner(client, "search/a.py") == "search"
        assert loud(client)
        shown = client.get("/api/v1/rules").text + client.get("/readyz").text
    assert f"https://127.0.0.1:{port}/rules.git" in shown
    said = shown + caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "rules_not_synced" in said
    assert ("hunter2" in said, "robot" in said) == (False, False)


def test_a_host_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/rules.git"
        git = Git(tmp_path / "git", url, seconds=0.5)
        git.run("init", "--quiet", "--bare", "--template=", "--", str(git.folder))
        with pytest.raises(GitError, match=r"took longer than 0\.5 s"):
            git.fetch("HEAD", "refs/pointsman/rules")


def test_a_host_that_never_answers_holds_up_neither_start_nor_stop(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with following(tmp_path, f"https://127.0.0.1:{silent.getsockname()[1]}/x.git") as client:
            assert client.get("/readyz").status_code == 200
            asked, _ = silent.accept()  # so git is under way, and waits
        asked.close()
        assert time.monotonic() - began < 10


def test_with_the_checkouts_gone_too_the_database_has_the_last_good_rules(
    tmp_path: Path, repository: Repository
) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
        revision = status(client)["revision"]
    shutil.rmtree(tmp_path / "house/rules-repository")
    shutil.rmtree(repository.url)
    with following(tmp_path, repository.url) as client:
        assert loud(client)
        assert (status(client)["revision"], owner(client, "search/a.py")) == (revision, "search")


@pytest.mark.parametrize("harm", ["objects", "HEAD", "shallow.lock"])
def test_a_damaged_copy_is_fetched_anew(tmp_path: Path, repository: Repository, harm: str) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
        place = tmp_path / "house/rules-repository/git" / harm
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.write_text("")
        in_force(client, repository.push({"conf/teams/search.yaml": team("search", "/x/")}))
        wait_for(lambda: status(client)["problems"] == [], 10)


def test_a_reload_trusts_no_checkout(tmp_path: Path, repository: Repository) -> None:
    with following(tmp_path, repository.url, rules_repository_poll_seconds=60) as client:
        wait_for(lambda: status(client)["revision"], 10)
        (checkout,) = (tmp_path / "house/rules-repository").glob("checkout-*")
        (checkout / "conf/rules.yaml").write_text("rules: [")
        assert client.post("/api/v1/rules/reload").json()["problems"] == []
        assert not checkout.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RULES_REPOSITORY", "--upload-pack=touch {made}"),
        ("RULES_REPOSITORY", "x --upload-pack=touch {made}"),
        ("RULES_REPOSITORY", "ext::sh -c touch% {made}"),
        ("RULES_REPOSITORY", "ext::touch"),
        ("RULES_REPOSITORY", "http://example.com/rules.git"),
        ("RULES_REPOSITORY", "git://example.com/rules.git"),
        ("RULES_REPOSITORY", "ssh://-oProxyCommand=touch/x"),
        ("RULES_REPOSITORY", "-oProxyCommand=touch:x"),
        ("RULES_REPOSITORY", "me@-oProxyCommand=touch:x"),
        ("RULES_REF", "--upload-pack=touch {made}"),
        ("RULES_REF", "main:refs/heads/x"),
        ("RULES_REF", "+main"),
        ("RULES", "/etc/rules.yaml"),
        ("RULES", "../rules.yaml"),
    ],
)
def test_what_git_could_take_for_more_than_a_name_is_refused(name: str, value: str) -> None:
    environ = {"POINTSMAN_RULES_REPOSITORY": "https://example.com/rules.git"}
    environ[f"POINTSMAN_{name}"] = value
    with pytest.raises(SettingsError, match=rf"^POINTSMAN_{name}: ") as refused:
        load_settings(environ)
    assert "touch" not in str(refused.value)


@pytest.mark.parametrize("url", ["--upload-pack=touch {made}", "ext::sh -c touch% {made}"])
def test_past_the_settings_too_nothing_is_run(tmp_path: Path, url: str) -> None:
    made = tmp_path / "made"
    with following(tmp_path, url.format(made=made)) as client:
        wait_for(lambda: "fetched yet" not in loud(client), 10)
    assert not made.exists()


def test_a_repository_cannot_have_filters_or_hooks_run(
    tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, config = tmp_path / "made", tmp_path / "gitconfig"
    config.write_text(f'[filter "run"]\n  smudge = touch {made}\n')
    repository.push({".gitattributes": "* filter=run\n"})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
    assert not made.exists()


def test_a_root_file_that_is_a_link_is_read_where_it_leads_to(
    tmp_path: Path, repository: Repository
) -> None:
    shutil.move(tmp_path / "work/conf", tmp_path / "work/moved")
    (tmp_path / "work/conf").mkdir()
    (tmp_path / "work/conf/rules.yaml").symlink_to("../moved/rules.yaml")
    revision = repository.push({})
    with following(tmp_path, repository.url) as client:
        in_force(client, revision)
        assert owner(client, "search/a.py") == "search"


@pytest.mark.parametrize("where", ["conf", "conf/rules.yaml"])
def test_links_in_a_circle_are_a_problem(
    tmp_path: Path, repository: Repository, where: str
) -> None:
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
        shutil.rmtree(tmp_path / "work/conf")
        place = tmp_path / "work" / where
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(place.name)
        repository.push({})
        wait_for(lambda: status(client)["problems"], 10)
        assert owner(client, "search/a.py") == "search"


@pytest.mark.parametrize("link", ["conf", "conf/rules.yaml"])
def test_a_link_in_a_commit_leads_nowhere_out_of_it(
    tmp_path: Path, repository: Repository, link: str
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/rules.yaml").write_text("version: 1\nteams: {intruder: {}}\n")
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: status(client)["revision"], 10)
        shutil.rmtree(tmp_path / "work/conf")
        place = tmp_path / "work" / link
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(tmp_path / "outside" / link.removeprefix("conf").lstrip("/"))
        repository.push({})
        (problem,) = wait_for(lambda: status(client)["problems"], 10)
        assert problem["message"] == "there is no such file, or none that can be read"
        assert owner(client, "search/a.py") == "search"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a:b@example.com/x.git", "https://example.com/x.git"),
        ("https://a:b@c@example.com/x?token=d#e", "https://example.com/x"),
        ("https://a:b/c@example.com/x", "https://example.com/x"),
        ("git@example.com:x.git", "git@example.com:x.git"),
        ("/srv/rules.git", "/srv/rules.git"),
    ],
)
def test_a_url_is_shown_without_credentials(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_rules_in_a_folder_name_files_from_the_repositorys_root(
    tmp_path: Path, repository: Repository
) -> None:
    repository.push(
        {
            "conf/rules.yaml": ROOT.replace("}]\n", "}, {codeowners: ../.github/CODEOWNERS}]\n"),
            ".github/CODEOWNERS": "# who\n/web/ platform@example.com nobody@example.com\n",
            "conf/teams/web.yaml": "version: 1\n"
            "teams: {web: {aliases: [platform@example.com]}}\nrules: [{path: /x/, owner: web}]\n",
        }
    )
    with following(tmp_path, repository.url) as client:
        wait_for(lambda: owner(client, "web/a.py") == "web", 10)
        found = client.get("/api/v1/ownership", params={"path": "web/a.py"}).json()
        assert (found["rule"]["file"], found["rule"]["line"]) == (".github/CODEOWNERS", 2)
        (problem,) = status(client)["problems"]
        assert (problem["file"], problem["line"]) == (".github/CODEOWNERS", 2)
