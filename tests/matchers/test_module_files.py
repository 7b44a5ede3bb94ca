"""One small file per package."""

import pytest

from matchers.errors import Origin
from matchers.event import Frame
from matchers.ruleset import Ruleset
from matchers.sources.module_files import read_module_files
from tests.trees import a_site, short

AT = Origin("rules.yaml", 7)


def test_a_module_file_owns_its_directory_with_feature_and_criticality() -> None:
    text = "# ours\nfeature: invoicing\nowner: red\ncriticality: high\n"
    site, said = a_site({"server/billing/module.yaml": text})
    (rule,) = read_module_files("**/module.yaml", site, AT)
    assert (rule.owners, rule.feature, rule.criticality) == (("red",), "invoicing", "high")
    assert (rule.text, rule.paths) == ("path: /server/billing/", ("/server/billing/",))
    assert str(rule.origin) == "server/billing/module.yaml:3"
    assert said == []


def test_the_deepest_wins_whatever_their_names() -> None:
    files = {
        "z/module.yaml": "owner: red",
        "z/a/b/module.yaml": "owner: green",
        "module.yaml": "owners: [blue, red]",
        "z/a/module.yaml": "owners: blue",
    }
    site, _ = a_site(files)
    ruleset = Ruleset(rules=tuple(read_module_files("**/module.yaml", site, AT)))
    assert [rule.text for rule in ruleset.rules] == [
        "path: *",
        "path: /z/",
        "path: /z/a/",
        "path: /z/a/b/",
    ]
    found = [
        ruleset.candidates(Frame(filename=path), path)[0].owners
        for path in ("x.py", "z/x.py", "z/a/x.py", "z/a/b/c/x.py")
    ]
    assert found == [("blue", "red"), ("red",), ("blue",), ("green",)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("onwer: red", ['a.yaml:1 unknown key "onwer" — did you mean "owner"?']),
        ("owner: red\nversion: 1", ['a.yaml:2 unknown key "version"']),
        ("owner: red\nowners: [blue]", ["a.yaml:1 write `owner` or `owners`, not both"]),
        ("feature: x", ["a.yaml:1 the file names no owner"]),
        ("", ["a.yaml:1 the file names no owner"]),
        ("owners: []", ["a.yaml:1 must not be empty"]),
        ("owner: rde", ['a.yaml:1 unknown team "rde" — did you mean "red"?']),
        (
            "owner: red\nowner: blue",
            ['a.yaml:2 the key "owner" stands here again, first in line 1'],
        ),
        ("- red", ["a.yaml:1 expected `key: value` pairs"]),
        ("owner: [", ["a.yaml:2 not YAML: did not find expected node content"]),
    ],
)
def test_a_file_with_a_mistake_is_left_out(text: str, said: list[str]) -> None:
    site, problems = a_site({"a.yaml": text, "b/a.yaml": "owner: blue"})
    rules = read_module_files("**/a.yaml", site, AT)
    assert [rule.text for rule in rules] == ["path: /b/"]
    assert short(problems) == said


def test_owners_that_are_known_own() -> None:
    site, said = a_site({"a/module.yaml": "owners: [nobody, blue]\n"})
    (rule,) = read_module_files("*/module.yaml", site, AT)
    assert rule.owners == ("blue",)
    assert short(said) == ['a/module.yaml:1 unknown team "nobody"']


def test_a_glob_that_fits_no_file_is_a_problem() -> None:
    site, said = a_site({"a/module.yaml": "owner: red"})
    assert read_module_files("**/modul.yaml", site, AT) == []
    assert short(said) == ['rules.yaml:7 "**/modul.yaml" fits no file']
