"""Trees of files: what is read, what is found, what is refused."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from matchers.errors import Origin
from matchers.sources.annotations import read_annotations
from matchers.sources.base import NotRegularError, Site, Tree, TreeError
from matchers.sources.owners_yaml import read_owners_yaml
from service import tree
from service.repository import read_files
from service.tree import FolderTree, GitTree

FILES = {
    "a.yaml": "a",
    "teams/a.yaml": "teams",
    "teams/x/ä b.yaml": "deep",
    "node_modules/p/a.yaml": "not ours",
    "x/.venv/a.yaml": "not ours",
    "..data/a.yaml": "Kubernetes' own",
}
GIT = ("git", "-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=m")


def write_files(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit(root: Path) -> None:
    for words in (("init", "-q"), ("add", "-Af"), ("commit", "-qm", "x", "--allow-empty")):
        subprocess.run([*GIT, "-C", str(root), *words], check=True)


def of_a_commit(root: Path) -> GitTree:
    commit(root)
    return GitTree(root, "HEAD")


both = pytest.mark.parametrize("opened", [FolderTree, of_a_commit])
Opened = Callable[[Path], FolderTree | GitTree]


@both
def test_files_are_found_and_read(opened: Opened, tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    found: Tree = opened(tmp_path)
    assert found.glob("**/*.yaml") == ["a.yaml", "teams/a.yaml", "teams/x/ä b.yaml"]
    assert found.glob("teams/*") == ["teams/a.yaml"]
    assert found.glob("*/none") == []
    assert found.read("teams/x/ä b.yaml") == b"deep"
    assert found.read("./teams/../a.yaml") == b"a"
    assert [found.read(path) for path in ("none", "", "a.yaml/x", "a\0b")] == [None] * 4


@both
def test_a_folder_is_no_file_and_the_error_says_so(opened: Opened, tmp_path: Path) -> None:
    write_files(tmp_path, {"x/teams/a.yaml": ""})
    found = opened(tmp_path)
    for path in ("x", "x/teams", "x/../x/teams/"):
        with pytest.raises(NotRegularError, match=f"^{path}: it is no regular file$"):
            found.read(path)


@both
def test_nothing_of_gits_own_is_a_file(opened: Opened, tmp_path: Path) -> None:
    write_files(tmp_path, {"a": ""})
    commit(tmp_path)
    found = opened(tmp_path)
    assert found.glob("**") == ["a"]
    assert found.read(".git/config") is None


@both
def test_a_link_inside_is_followed(opened: Opened, tmp_path: Path) -> None:
    write_files(tmp_path, {"teams/a.yaml": "a"})
    (tmp_path / "b.yaml").symlink_to("teams/c.yaml")
    (tmp_path / "teams/c.yaml").symlink_to("../teams/./a.yaml")
    found = opened(tmp_path)
    assert found.glob("**") == ["b.yaml", "teams/a.yaml", "teams/c.yaml"]
    assert (found.read("b.yaml"), found.escapes("b.yaml")) == (b"a", False)


@both
@pytest.mark.parametrize("target", ["../secret", "/etc/hostname", "../../../../etc/hostname"])
def test_a_link_that_leads_out_is_no_file_and_can_be_asked_for(
    opened: Opened, target: str, tmp_path: Path
) -> None:
    write_files(tmp_path, {"secret": "s", "repo/owners.yaml": "version: 1\nowners: red\n"})
    (tmp_path / "repo/a").mkdir()
    (tmp_path / "repo/a/owners.yaml").symlink_to(Path("..") / target)
    found = opened(tmp_path / "repo")
    said: list[object] = []
    site = Site(found, {"red": "red"}, said.append)
    assert found.read("a/owners.yaml") is None
    assert found.escapes("a/owners.yaml")
    assert len(read_owners_yaml(".", site, Origin("r.yaml", 1))) == 1
    assert ["leads out of the repository" in str(one) for one in said] == [True]


@both
def test_a_path_that_leads_out_is_no_file(opened: Opened, tmp_path: Path) -> None:
    write_files(tmp_path, {"secret": "s", "repo/a": "a"})
    found = opened(tmp_path / "repo")
    for path in ("../secret", str(tmp_path / "secret"), "a/../../secret"):
        assert found.read(path) is None
        assert found.escapes(path)
    assert not found.escapes("a")
    assert not found.escapes("none")


@both
def test_links_in_a_circle_are_no_file(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "here").symlink_to(".")
    found = opened(tmp_path)
    assert (found.read("a"), found.escapes("a")) == (None, False)
    assert "a" in found.glob("**")
    assert "here/a" not in found.glob("**")


@both
def test_a_file_that_is_too_large_is_an_error_and_one_that_is_not_is_read(
    opened: Opened, tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(b"x" * (tree.SIZE_LIMIT + 1))
    (tmp_path / "most").write_bytes(b"x" * tree.SIZE_LIMIT)
    found = opened(tmp_path)
    with pytest.raises(TreeError, match="large: larger than 20 MiB"):
        found.read("large")
    assert len(found.read("most") or b"") == tree.SIZE_LIMIT
    assert read_annotations("l*", Site(found, {}, print), Origin("r.yaml", 1)) == []


def test_pipes_and_devices_are_no_files_and_nobody_waits_for_them(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "null.yaml").symlink_to("/dev/null")
    (tmp_path / "link.yaml").symlink_to("pipe.yaml")
    found = FolderTree(tmp_path)
    for name in ("pipe.yaml", "link.yaml"):
        with pytest.raises(NotRegularError, match=f"^{name}: it is no regular file$"):
            found.read(name)
    assert found.read("null.yaml") is None, "it leads out of the folder"
    assert "pipe.yaml" not in found.glob("*.yaml")


def test_a_problem_says_why_a_file_is_not_read_and_names_it_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    said: list[object] = []
    site = Site(FolderTree(tmp_path), {}, said.append)
    assert (site.read("pipe"), site.read("pipe", Origin("r.yaml", 3))) == (None, None)
    assert [str(one) for one in said] == [
        "pipe:1:1: it is no regular file",
        "r.yaml:3:1: pipe: it is no regular file",
    ]


def test_a_folder_that_is_swapped_is_seen_at_once(tmp_path: Path) -> None:
    """As a ConfigMap is mounted."""
    write_files(tmp_path, {"..1/r.yaml": "old", "..2/r.yaml": "new"})
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "r.yaml").symlink_to("..data/r.yaml")
    found = FolderTree(tmp_path)
    assert (found.glob("**"), found.read("r.yaml")) == (["r.yaml"], b"old")
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert found.read("r.yaml") == b"new"


def test_a_name_that_is_no_text_is_left_out(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.yaml")).write_text("x")
    assert FolderTree(tmp_path).glob("*.yaml") == []
    assert of_a_commit(tmp_path).glob("*.yaml") == []


def test_a_commit_stays_what_it_was(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": "old", "sub/b": "b"})
    commit(tmp_path)
    first = GitTree(tmp_path, "HEAD")
    write_files(tmp_path, {"a": "new"})
    commit(tmp_path)
    assert [GitTree(tmp_path, name).read("a") for name in ("HEAD~1", first.commit, "m")] == [
        b"old",
        b"old",
        b"new",
    ]
    assert (first.read("a"), first.paths) == (b"old", ["a", "sub/b"])
    assert GitTree(tmp_path / "sub", "HEAD").paths == ["a", "sub/b"]


def test_many_files_of_a_commit_are_read_in_few_processes(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{number:04}": f"{number}\n" * number for number in range(2500)})
    found = of_a_commit(tmp_path)
    assert [found.read(path) for path in found.glob("*")] == [
        f"{number}\n".encode() * number for number in range(2500)
    ]


@pytest.mark.parametrize(
    "revision", ["--all", "-h", "--upload-pack=touch x", "", "none", "HEAD:a", "a\0b", "HEAD\nHEAD"]
)
def test_what_is_no_revision_is_an_error_and_never_an_option(revision: str, tmp_path: Path) -> None:
    write_files(tmp_path, {"a": ""})
    commit(tmp_path)
    with pytest.raises(TreeError):
        GitTree(tmp_path, revision)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "a"]


def test_a_folder_that_is_no_repository_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match=r"^HEAD: not a git repository"):
        GitTree(tmp_path, "HEAD")
    with pytest.raises(TreeError):
        GitTree(tmp_path / "none", "HEAD")


def test_the_environment_of_a_hook_names_no_other_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        write_files(tmp_path / name, {name: ""})
        commit(tmp_path / name)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "one/.git"))
    assert GitTree(tmp_path / "two", "HEAD").paths == ["two"]
    assert read_files(tmp_path / "two").paths == {"two"}
