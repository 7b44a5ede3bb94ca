"""Where an alert leads: to pages that stand where the rules say, whatever an event says."""

from typing import Any

import msgspec
import pytest

from routers.links import Links, links_of
from routers.message import links
from tests.alerts import EVENT, NOTIFICATION, OWNERSHIP, an_alert
from tests.builders import loaded, the_rules

TAX = "server/app/billing/tax.py"
EVENT_ID = "e" * 32
COMMIT = "3f2a9c1d" * 5
WEB = "https://shop.sentry.io/issues/1/"


def problems(text: str) -> list[str]:
    return [str(problem) for problem in loaded(text).problems]


def linked(policy: str = "", *, rest: str = "", **over: Any) -> Links:
    """over: of the notification, of the decision and its frame; or the event."""
    event = over.pop("event", EVENT)
    decided = {name: over.pop(name) for name in ("feature", "revision") if name in over}
    frame = {name: over.pop(name) for name in ("path", "lineno") if name in over}
    ownership = {**OWNERSHIP, **decided, "frame": OWNERSHIP["frame"] | frame}
    rules = the_rules(f"policy: {{{policy}}}\n{rest}")
    return links_of(msgspec.structs.replace(NOTIFICATION, **over), event, ownership, rules)


@pytest.mark.parametrize(
    ("template", "over", "link"),
    [
        ("https://git.test/{release}/{path}#L{line}", {}, f"/2026.3.1/{TAX}#L88"),
        ("https://git.test/v{version}/{path}", {"release": "shop@2.1.0+7"}, f"/v2.1.0/{TAX}"),
        ("https://git.test/v{version}/{path}", {"release": "2.1.0"}, f"/v2.1.0/{TAX}"),
        (
            "https://git.test/{release}/{path}",
            {"release": "a/b c@1?x#%"},
            f"/a%2Fb%20c%401%3Fx%23%25/{TAX}",
        ),
        ("https://git.test/{path}", {"path": 'ä/`|>"\\\n.py'}, "/%C3%A4/%60%7C%3E%22%5C%0A.py"),
        ("https://git.test/{path}", {"path": "a\ud800"}, "/a%3F"),
        ("https://git.test/{path}", {"path": "//evil.test/x"}, "/evil.test/x"),
        ("https://git.test/{revision}/{path}", {"revision": COMMIT}, f"/{COMMIT}/{TAX}"),
    ],
)
def test_the_source_stands_where_the_template_says(
    template: str, over: dict[str, Any], link: str
) -> None:
    assert linked(f'source_url: "{template}"', **over).source == f"https://git.test{link}"


@pytest.mark.parametrize(
    ("template", "over"),
    [
        ("https://git.test/{release}/{path}", {"release": None}),
        ("https://git.test/{release}/{path}", {"release": ".."}),
        ("https://git.test/{path}#L{line}", {"lineno": None}),
        ("https://git.test/{path}#L{line}", {"lineno": "8/../.."}),
        ("https://git.test/acme/{path}", {"path": "../../evil/x.py"}),
        ("https://git.test/acme/{path}", {"path": "a/./b.py"}),
        ("https://git.test/acme/{path}", {"path": "a/.."}),
        ("https://git.test/acme/x{path}", {"path": "/../y"}),
        ("https://git.test/{path}", {"path": None}),
        ("https://git.test/{path}", {"path": "x" * 400}),
        ("https://git.test/{revision}/{path}", {"revision": "3f2a9c1d3f2a"}),
    ],
)
def test_without_all_that_the_template_asks_for_there_is_no_source(
    template: str, over: dict[str, Any]
) -> None:
    assert linked(f'source_url: "{template}"', **over).source == ""


def test_sentry_is_where_its_webhook_says() -> None:
    event = msgspec.structs.replace(EVENT, web_url=WEB)
    template = 'sentry_url: "https://sentry.test/{event_id}"'
    assert linked(event=event).sentry == WEB
    assert linked(template, event=event).sentry == WEB


@pytest.mark.parametrize(
    ("template", "link"),
    [
        ("https://sentry.test/p/{slug}/events/{event_id}/", f"/p/shop/events/{EVENT_ID}/"),
        (
            "https://sentry.test/?project={project}&query={event_id}",
            f"/?project=1&query={EVENT_ID}",
        ),
    ],
)
def test_else_where_the_template_says(template: str, link: str) -> None:
    event = msgspec.structs.replace(EVENT, project_slug="shop")
    assert linked(f'sentry_url: "{template}"', event=event).sentry == f"https://sentry.test{link}"


RUNBOOKS = """
teams: {payments: {runbook: "https://wiki.test/payments"}, search: {}}
features: {invoicing: {runbook: "https://wiki.test/invoicing"}, empty: {}}
"""


@pytest.mark.parametrize(
    ("over", "link"),
    [
        ({"feature": "invoicing"}, "https://wiki.test/invoicing"),
        ({"feature": "invoicing", "team": "search"}, "https://wiki.test/invoicing"),
        ({"feature": "other"}, "https://wiki.test/payments"),
        ({"feature": "empty"}, "https://wiki.test/payments"),
        ({}, "https://wiki.test/payments"),
        ({"team": "search"}, ""),
        ({"team": None}, ""),
        ({"team": "gone"}, ""),
    ],
)
def test_the_runbook_is_the_features_else_the_teams(over: dict[str, Any], link: str) -> None:
    assert linked(rest=RUNBOOKS, **over).runbook == link


@pytest.mark.parametrize(
    "text",
    [
        "teams: {a: {runbook: 'javascript:alert(1)'}}",
        "teams: {a: {runbook: wiki}}",
        "features: {a: {runbook: 'https://me:hush-hush@wiki.test/x'}}",
        "features: {a: {runbook: 'https://wiki.test/a b'}}",
        "features: {a: {runbook: ''}}",
        "features: {a: {runbok: 'https://wiki.test'}}",
        "features: {a: 'https://wiki.test'}",
        "features: [a]",
        "policy: {source_url: 'http://git.test/{path}'}",
        "policy: {source_url: 'https://{path}/x'}",
        "policy: {source_url: 'https://git.test/{file}'}",
        "policy: {source_url: 'https://git.test/{path'}",
        "policy: {source_url: 'https://git.test/x'}",
        "policy: {source_url: 'https://me:hush-hush@git.test/{path}'}",
        "policy: {sentry_url: 'https://sentry.test/{path}'}",
        "policy: {sentry_url: 'https://sentry.test/'}",
    ],
)
def test_an_address_that_cannot_be_right_is_a_problem(text: str) -> None:
    (problem,) = problems(text)
    assert "hush-hush" not in problem


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    assert "did you mean" in problems("policy: {source_url: 'https://git.test/{pth}'}")[0]


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://a b",
        "https://x\x00y",
        "https://ä.test/",
        "https://x/\u202e",
        "https://me:hush@x/",
        "https:///x",
        "https://x/<!channel>",
        'https://x/"onclick',
        "https://x/" + "y" * 400,
        "https://x/?" + "&" * 100,
    ],
)
def test_what_is_no_whole_link_is_not_shown(link: str) -> None:
    alert = an_alert(permalink=link, links=Links(runbook=link, source=link, sentry=link))
    assert links(alert) == []


def test_links_lead_to_the_group_first() -> None:
    given = Links(runbook="http://r", source="https://s/@x", sentry="https://t")
    assert links(an_alert(links=given)) == [
        ("Open in Pointsman", "https://pointsman.example.com/groups/0123456789abcdef"),
        ("Runbook", "http://r"),
        ("Source", "https://s/%40x"),
        ("Sentry", "https://t"),
    ]
