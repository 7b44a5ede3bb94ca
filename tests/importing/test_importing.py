"""What other tools know becomes a rules file that loads, and a list of what it could not say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.globs import compile_glob
from matchers.importing.codeowners import import_codeowners
from matchers.importing.sentry import import_sentry
from matchers.importing.starting import Start, flow
from matchers.lookup import look_up
from matchers.sources.document import read_document
from matchers.sources.owner_lines import Dialect
from routers.alertmanager import import_alertmanager
from routers.rules import Rules
from tests.builders import the_rules

GITHUB = """\
* @acme/platform
/app/ @acme/payments jane@acme.example  # both
/gen/
foo\\ bar/ @Acme/Payments
[section] @x
*.no @no
"""
SENTRY = """\
# ours
path:src/billing/* #payments jane@acme.example
src/*.py #platform
path:"src/my file/*.{js,ts}" #web
module:com.acme.tax.* #payments
url:https://shop.example/checkout/* #web
tags.queue:billing-* #payments
tags.user.email:*@acme.example #web
codeowners:*.py #web
path:src/[ab].py #web
path:nobody
"""
ALERTMANAGER = """\
global: {slack_api_url: "https://hooks.slack.com/services/GLOBALSECRET"}
route:
  receiver: triage
  group_by: [alertname]
  routes:
    - matchers: [team="payments"]
      receiver: payments-slack
      routes:
        - matchers: ['severity=~"critical|error"', 'env="production"']
          receiver: payments-pager
          continue: true
    - match: {team: search, severity: page}
      receiver: search
    - matchers: ['service=~"^(foo|bar)$"', 'zone!="eu"']
      receiver: search
receivers:
  - name: triage
    slack_configs: [{channel: "#triage"}]
  - name: payments-slack
    slack_configs: [{api_url: "https://hooks.slack.com/services/OWNSECRET", channel: "#pay"}]
  - name: payments-pager
    webhook_configs: [{url: "https://pager.example/HOOKSECRET"}, {url_file: /run/secrets/hook}]
    pagerduty_configs: [{routing_key: KEYSECRET}]
  - name: search
    email_configs: [{to: search@acme.example}]
inhibit_rules: []
"""


def rules_of(start: Start) -> Rules:
    """The printed file must load; the builder implies its `version: 1`."""
    head, version, text = start.text().split("\n", 2)
    assert (head[0], version) == ("#", "version: 1")
    return the_rules(text)


def said(start: Start) -> list[tuple[int, str]]:
    return [(problem.origin.line, problem.message) for problem in sorted(start.left_out)]


def owners(start: Start, path: str) -> tuple[str, ...]:
    return look_up(path, rules_of(start).ruleset).owners


def test_a_codeowners_becomes_teams_and_rules_in_its_order() -> None:
    start = import_codeowners(GITHUB.encode(), "CODEOWNERS", "github")
    rules = rules_of(start)
    assert [(rule.paths, rule.owners) for rule in rules.ruleset.rules] == [
        (("*",), ("platform",)),
        (("/app/",), ("payments", "jane-acme.example")),
        (("/gen/",), ()),
        (("foo\\ bar/",), ("payments",)),
        (("*.no",), ("no",)),
    ]
    assert rules.teams["payments"].aliases == ("@acme/payments", "@Acme/Payments")
    assert [line for line, _ in said(start)] == [5]


@pytest.mark.parametrize(
    ("line", "slugs"),
    [
        ("* @a/web @b/web", ["web", "b-web"]),
        ("* @web @a/web", ["web", "a-web"]),
        ("* @no @true @012", ["no", "true", "012"]),
        ("* @-", ["team"]),
    ],
)
def test_every_owner_is_a_team_of_its_own(line: str, slugs: list[str]) -> None:
    start = import_codeowners(line.encode(), "CODEOWNERS", "github")
    assert list(rules_of(start).teams) == slugs


def test_a_bitbucket_user_without_an_at_is_a_team() -> None:
    start = import_codeowners(b"* jane @jane @acme/jane", "CODEOWNERS", "bitbucket")
    assert list(rules_of(start).teams) == ["jane", "jane-2", "acme-jane"]


def test_one_section_of_gitlab_is_translated_with_its_exclusions_last() -> None:
    text = "*.py @a\n!gen/\napp/x/ @b\ndocs/** @c\n\\#x.md @a\n[ab].py @a\n"
    start = import_codeowners(text.encode(), "CODEOWNERS", "gitlab")
    paths = [(rule.paths[0], rule.unowned) for rule in rules_of(start).ruleset.rules]
    assert paths == [
        ("*.py", False),
        ("**/app/x/", False),
        ("**/docs/*", False),
        ("#x.md", False),
        ("gen/", True),
    ]
    assert [line for line, _ in said(start)] == [6]


def test_sections_that_add_up_are_listed_with_the_way_out() -> None:
    text = "* @a\n[Docs] @d\ndocs/\n!docs/old/\nREADME\n"
    start = import_codeowners(text.encode(), "CODEOWNERS", "gitlab")
    assert rules_of(start).teams.keys() == {"a", "d"}
    assert [line for line, _ in said(start)] == [2, 4, 5]
    assert "{codeowners: CODEOWNERS, dialect: gitlab}" in said(start)[0][1]


@pytest.mark.parametrize("dialect", ["github", "gitlab", "bitbucket"])
def test_what_is_no_codeowners_still_gives_a_file_that_loads(dialect: Dialect) -> None:
    for raw in (b"", b"\xff\n\x00 @a\n", b"a\x7f\xc2\x85b @a\n\xe2\x80\xa8 @b", b'"{x: [}" @c'):
        rules_of(import_codeowners(raw, "a\nfile", dialect))


def test_sentrys_rules_become_ours() -> None:
    start = import_sentry(SENTRY.encode(), "sentry.txt")
    ruleset = rules_of(start).ruleset
    assert owners(start, "src/billing/a/b.py") == ("platform",)
    assert owners(start, "src/billing/a/b.rb") == ("payments", "jane-acme.example")
    assert owners(start, "src/my file/a/x.ts") == ("web",)
    assert [rule.text for rule in ruleset.fallbacks] == [
        "url: https://shop.example/checkout/*",
        "tags: {queue: billing-*}",
        "tags: {user.email: *@acme.example}",
    ]
    assert [line for line, _ in said(start)] == [2, 5, 6, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("glob", "pattern", "exactly"),
    [
        ("*", "*", True),
        ("src/*", "/src/", True),
        ("/src/*", "/src/", True),
        ("*.py", "*.py", True),
        ("src/*.py", "/src/**/*.py", True),
        ("src/*/x.py", "/src/*/**/x.py", True),
        ("*/src/*", "src/", True),
        ("*/a/b.py", "**/a/b.py", True),
        ("src/foo*", "/src/foo*", True),
        ("src/foo*/x.py", "/src/foo*/**/x.py", True),
        ("src/**/x.py", "/src/*/**/x.py", True),
        ("src\\\\lib\\\\*", "/src/lib/", True),
        ("src/a*b.py", "/src/a*b.py", False),
        ("src/a?.py", "/src/a?.py", False),
        ("src/app", "/src/app", False),
    ],
)
def test_a_glob_that_crosses_slashes_becomes_a_pattern(
    glob: str, pattern: str, exactly: bool
) -> None:
    start = import_sentry(f'path:"{glob}" #a'.encode(), "sentry.txt")
    assert start.rules == [{"path": pattern, "owner": "a"}]
    assert rules_of(start)
    assert len(said(start)) == (1 if exactly else 2)


@pytest.mark.parametrize("line", ['path:"" #a', "path:/ #a", "path:{a,{b}} #a", 'module:"" #a'])
def test_a_rule_of_sentry_that_says_nothing_here_is_left_out(line: str) -> None:
    start = import_sentry(line.encode(), "sentry.txt")
    assert rules_of(start).ruleset.rules == ()
    assert said(start)


def test_routes_become_receivers_the_nearer_first() -> None:
    start = import_alertmanager(ALERTMANAGER.encode(), "alertmanager.yml")
    text = start.text()
    rules = rules_of(start)
    assert list(rules.teams) == ["payments", "search"]
    assert start.teams["payments"]["receivers"] == [
        {
            "channel": f"payments-pager-{kind}",
            "when": {"severity": ["critical", "error"], "environment": ["production"]},
            "continue": True,
        }
        for kind in ("webhook", "webhook-2", "pagerduty")
    ] + [{"channel": "payments-slack-slack"}]
    assert [one.channel for one in rules.unowned] == ["triage-slack"]
    assert "webhook_url: $SLACK_API_URL" in text.replace('"', "")
    assert "$file:/run/secrets/hook" in text


def test_no_secret_is_copied() -> None:
    start = import_alertmanager(ALERTMANAGER.encode(), "alertmanager.yml")
    assert "SECRET" not in start.text() + str(said(start))


def test_what_alertmanager_says_and_we_do_not_is_listed_in_its_place() -> None:
    listed = said(import_alertmanager(ALERTMANAGER.encode(), "alertmanager.yml"))
    words = {line: word for line, word in listed if "`channel`" not in word}
    assert words.keys() == {4, 12, 14, 25, 26}
    assert "`zone!=eu`" in str(listed)
    assert "`service`" in str(listed)


@pytest.mark.parametrize(
    ("key", "kind"), [("discord_configs", "discord"), ("msteamsv2_configs", "msteams")]
)
def test_a_chat_becomes_a_channel_without_its_secret(key: str, kind: str) -> None:
    text = f"receivers: [{{name: pay, {key}: [{{webhook_url: 'https://chat.example/SECRET'}}]}}]"
    start = import_alertmanager(text.encode(), "alertmanager.yml")
    assert start.channels == {f"pay-{kind}": {kind: {"webhook_url": f"$PAY_{kind.upper()}_URL"}}}


@pytest.mark.parametrize(
    "text", ["", "[]", "route: []", "receivers: {a: b}", "route: {routes: [1]}", "a: {", "a: no"]
)
def test_what_is_no_alertmanager_yml_still_gives_a_file_that_loads(text: str) -> None:
    rules_of(import_alertmanager(text.encode(), "x.yml"))


TEXTS = ["no", "1:30", "012", "a: b", "- x", "{", "a\tb\\", "ünï", "\x85\u2028", "~", "*x", "#", ""]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_written_as_all_readers_of_yaml_take_it(text: str) -> None:
    document = read_document(flow({"key": [text, True]}).encode(), "x.yaml")
    assert (document.data, document.problems) == ({"key": [text, True]}, ())


SEGMENTS = ["a", "b.py", "*", "a*", "*b", "*.py", "*a*", "**"]
FOLDERS = st.lists(st.sampled_from(["a", "b", "ab", "ba", "aab"]), max_size=3)


@given(
    st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4).map("/".join),
    st.tuples(FOLDERS, st.sampled_from(["a", "b.py", "ab.py", "x.js"])),
)
def test_a_glob_that_is_not_listed_owns_the_same_files(
    glob: str, file: tuple[list[str], str]
) -> None:
    start = import_sentry(f"path:{glob} #a".encode(), "sentry.txt")
    path = "/".join([*file[0], file[1]])
    # Sentry asks absolute paths too: a star at the start may stand for their directories
    asked = [path, f"/{path}"] if glob.startswith("*") else [path]
    wanted = any(compile_glob(glob)(one) for one in asked)
    assert len(said(start)) > 1 or (owners(start, path) == ("a",)) is wanted
