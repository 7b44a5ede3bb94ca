"""`grouping:` of the rules file: which entry matches, what the group is, and what it is called."""

from typing import Any

import pytest

from matchers.event import Event
from matchers.fingerprint import GROUPINGS, fingerprint
from matchers.grouping import Grouped, group_of, title_by
from matchers.ruleset import Ruleset
from routers.rules import load_rules
from tests.builders import an_event, loaded, the_rules
from tests.trees import FakeTree


def ruleset(*entries: str) -> Ruleset:
    return the_rules("grouping:\n" + "".join(f"  - {entry}\n" for entry in entries)).ruleset


def grouped(event: Event, *entries: str) -> Grouped:
    return group_of(event, ruleset(*entries))


def entitled(event: Event, entry: str) -> str | None:
    rules = ruleset(entry)
    return title_by(group_of(event, rules).entry, event, rules)


def failing(value: str = "order 12 failed", **more: Any) -> Event:
    frames = [
        {"path": "app/web.py", "function": "pay", "module": "app.web"},
        {"path": "lib/get.py", "function": "lambda$get$3", "module": "lib.get"},
        {"path": "/x/site-packages/http.py", "function": "send"},
    ]
    error = {"type": "Timeout", "value": value, "frames": frames}
    return an_event(exceptions=[error], **{"tags": {"pool": "main"}} | more)


ANOTHER = an_event(message="something else", logger="a")
MATCHING = [
    "{title: x}",
    "{exception: Time*, title: x}",
    "{message: order*, level: error, title: x}",
    "{tags: {pool: main}, title: x}",
    "{path: /lib/, title: x}",
    "{path: /app/, function: pay, title: x}",
    "{module: lib.*, not: {path: /other/}, title: x}",
    "{not: {exception: KeyError}, title: x}",
    "{level: [warning, error], title: x}",
]
NOT_MATCHING = [
    "{exception: KeyError, title: x}",
    "{path: /app/, function: lambda*, title: x}",  # of two frames
    "{path: http.py, title: x}",  # not our own code
    "{path: /app/, not: {function: lambda*}, title: x}",
    "{not: {path: /lib/}, title: x}",
    "{tags: {pool: spare}, title: x}",
]


@pytest.mark.parametrize("entry", MATCHING)
def test_an_entry_matches(entry: str) -> None:
    assert grouped(failing(), entry).entry is not None


@pytest.mark.parametrize("entry", NOT_MATCHING)
def test_an_entry_does_not_match(entry: str) -> None:
    assert grouped(failing(), entry).entry is None


def test_two_errors_become_one_group() -> None:
    entry = "{fingerprint: [database is down]}"
    one, other = grouped(failing(), entry), grouped(ANOTHER, entry)
    assert one.fingerprints == other.fingerprints
    assert one.fingerprints[0] != fingerprint(failing())


def test_one_error_becomes_two_groups() -> None:
    entry = '{fingerprint: ["{{ default }}", "{{ tags.pool }}"]}'
    pools = {grouped(failing(tags={"pool": pool}), entry).fingerprints for pool in ("a", "b")}
    assert len(pools) == 2


def test_the_last_entry_that_matches_wins_and_wins_whole() -> None:
    found = grouped(
        failing(),
        "{fingerprint: [first], title: first}",
        "{exception: Timeout, title: last}",
        "{exception: KeyError, title: none}",
    )
    assert found.entry is not None
    assert found.entry.origin.line == 4
    assert found.fingerprints[0] == fingerprint(failing())


def test_an_entry_beats_the_sdk_and_its_default_is_the_sdks() -> None:
    of_the_sdk = failing(fingerprint=["card"])
    assert grouped(of_the_sdk, "{fingerprint: [a]}") == grouped(ANOTHER, "{fingerprint: [a]}")
    kept = grouped(of_the_sdk, '{fingerprint: ["{{ default }}"]}').fingerprints
    assert kept == tuple(fingerprint(of_the_sdk, one) for one in GROUPINGS)


@pytest.mark.parametrize("event", [failing(), ANOTHER, failing(fingerprint=["{{ default }}", "x"])])
def test_an_entry_that_does_not_match_changes_no_group(event: Event) -> None:
    usual = tuple(fingerprint(event, one) for one in GROUPINGS)
    assert grouped(event, "{exception: KeyError, fingerprint: [x]}").fingerprints == usual
    assert grouped(event, '{fingerprint: ["{{ default }}"]}').fingerprints == usual


@pytest.mark.parametrize(
    ("part", "one", "other"),
    [
        ("{{ message }}", failing("order 1 failed"), failing("order 2 failed")),
        ("{{ value }}", failing("no user 'ann'"), failing("no user 'bob'")),
    ],
)
def test_no_id_makes_a_group_of_its_own(part: str, one: Event, other: Event) -> None:
    entry = f'{{fingerprint: ["{part}"]}}'
    assert grouped(one, entry).fingerprints == grouped(other, entry).fingerprints
    assert grouped(one, entry).fingerprints != grouped(failing("else"), entry).fingerprints


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("The database is down", "The database is down"),
        ("{{ type }} of {{tags.pool}}", "Timeout of main"),
        ("{{ error.type }}: {{ error.value }}", "Timeout: order 12 failed"),
        ("{{ default }}!", "Timeout: order 12 failed!"),
        ("{{ message }} in {{ function }}", "order 12 failed in lambda$get$3"),
        ("{{ path }} {{ module }}", "lib/get.py lib.get"),
        ("{{ stack.abs_path }} {{ stack.function }}", "lib/get.py lambda$get$3"),
        ("{{ level }} {{ environment }} {{ release }}", "error production 2.1"),
        ("{{ transaction }}\n  by {{ logger }}", "/pay by shop"),
        ("{{ tags.none }}", None),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_a_title_is_made_of_the_event(title: str, shown: str | None) -> None:
    event = failing(environment="production", release="2.1", transaction="/pay", logger="shop")
    escaped = title.replace("\n", "\\n")
    assert entitled(event, f'{{title: "{escaped}"}}') == shown


def test_an_event_without_frames_lacks_their_variables() -> None:
    assert entitled(ANOTHER, '{title: "{{ function }}{{ path }} of {{ logger }}"}') == "of a"


def test_a_frame_that_is_ours_in_a_cause_stands_where_the_thrown_has_none() -> None:
    cause = {"type": "KeyError", "frames": [{"path": "app/a.py", "function": "ours"}]}
    lib = {"path": "/x/site-packages/l.py", "function": "theirs"}
    event = an_event(exceptions=[cause, {"type": "E", "frames": [lib]}])
    assert entitled(event, '{title: "{{ function }}"}') == "ours"


MISTAKES = {
    '{fingerprint: ["{{ typ }}"]}': '3:20: unknown variable "typ" — did you mean "type"?',
    '{title: "{{ tags. }}"}': '3:13: unknown variable "tags."',
    '{title: "{{ user }}"}': '3:13: unknown variable "user"',
    '{title: "a {{ type"}': "3:13: `{{` and `}}` stand around the name of one variable",
    '{fingerprint: ["x {{ default }}"]}': (
        "3:20: `{{ default }}` stands for many texts: write it as one of its own"
    ),
    "{path: /a/}": "3:5: write a `fingerprint`, a `title`, or both",
    "{titel: x}": '3:6: unknown key "titel" — did you mean "title"?',
    "{fingerprint: []}": "3:19: must not be empty",
    '{path: "!/a/", title: x}': "3:12: `!` has no meaning in GitHub's CODEOWNERS patterns; "
    'write `path: "/a/"` with `unowned: true`',
    "{title: x, owner: a}": '3:16: unknown key "owner"',
}


@pytest.mark.parametrize("entry", MISTAKES)
def test_a_mistake_is_a_problem_in_its_place(entry: str) -> None:
    found = loaded(f"grouping:\n  - {entry}\n")
    said = [str(problem).removeprefix("rules.yaml:") for problem in found.problems]
    assert said[0].startswith(MISTAKES[entry])
    assert found.rules.ruleset.grouping == ()


def test_grouping_belongs_in_the_root_file() -> None:
    tree = FakeTree(
        {
            "rules.yaml": "version: 1\nrules: [{include: a.yaml}]\n",
            "a.yaml": "version: 1\ngrouping: [{title: x}]\n",
        }
    )
    found = load_rules(tree, "rules.yaml", {})
    assert [str(problem) for problem in found.problems] == [
        "a.yaml:2:1: `grouping` belongs in the root file"
    ]
    assert found.rules.ruleset.grouping == ()
