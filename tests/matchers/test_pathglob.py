"""Which files of a tree a glob finds."""

import pytest

from matchers.sources.pathglob import PathGlob

FILES = ["a.yaml", "teams/a.yaml", "teams/b.yml", "teams/x/a.yaml", "teams/x/y/a.yaml", "x/a.yaml"]


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.yaml", ["a.yaml"]),
        ("teams/*.yaml", ["teams/a.yaml"]),
        ("/teams/*.yaml", ["teams/a.yaml"]),
        ("./teams/b.yml", ["teams/b.yml"]),
        ("teams/b.y?l", ["teams/b.yml"]),
        ("*/a.yaml", ["teams/a.yaml", "x/a.yaml"]),
        ("**/a.yaml", ["a.yaml", "teams/a.yaml", "teams/x/a.yaml", "teams/x/y/a.yaml", "x/a.yaml"]),
        ("**/x/**/a.yaml", ["teams/x/a.yaml", "teams/x/y/a.yaml", "x/a.yaml"]),
        ("teams/**/**/y/*", ["teams/x/y/a.yaml"]),
        ("teams/x/**", ["teams/x/a.yaml", "teams/x/y/a.yaml"]),
        ("**", FILES),
        ("teams", []),  # a directory is no file
        ("teams/", []),
        ("../*.yaml", []),
        ("[a-z].yaml", []),
        ("", []),
    ],
)
def test_a_glob_finds(glob: str, found: list[str]) -> None:
    assert PathGlob(glob).select(reversed(FILES)) == found


def test_a_walk_need_not_enter_what_cannot_fit() -> None:
    glob = PathGlob("teams/*/a.yaml")
    assert not glob.enter(glob.start, "docs")
    assert not glob.enter(glob.enter(glob.enter(glob.start, "teams"), "x"), "deeper")


def test_many_directories_in_a_glob_cost_no_more_than_their_number() -> None:
    glob = PathGlob("**/a/" * 40 + "b")
    assert glob.select(["a/" * 2000 + "c"]) == []
