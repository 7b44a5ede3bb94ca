"""The pages: what they show, what they refuse, and what hostile text does to them."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event
from starlette.testclient import TestClient

from service.render import ago
from tests.service.conftest import BASE, RULES, TOKEN, house_of, settled

HTML = {"accept": "text/html,*/*"}
Start = Callable[..., TestClient]
TAX = {"filename": "shop/billing/tax.py", "function": "rate", "lineno": 88, "in_app": True}
CACHE = {"filename": "lib/cache.py", "function": "get", "lineno": 31, "in_app": True}
DJANGO = {"filename": "django/core.py", "function": "inner", "lineno": 5, "in_app": False}
WEB = {"filename": "shop/web/pay.py", "function": "pay", "lineno": 12, "in_app": True}
PB2 = {"filename": "generated/pb2.py", "function": "parse", "lineno": 9, "in_app": True}


INLINE = {"a", "b", "code", "span", "time"}


class Read(HTMLParser):
    """A page as a reader has it: its text in one line, its tags, its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.attributes: dict[str, list[str]] = {}
        self.feed(page)
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in INLINE:
            self.words.append(" ")
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def raised(*frames: dict[str, Any], error: str = "KeyError", value: str = "'NL'") -> dict[str, Any]:
    return {"type": error, "value": value, "stacktrace": {"frames": list(frames)}}


def send(client: TestClient, *exceptions: dict[str, Any], **more: Any) -> str:
    """The group's path."""
    answer = client.post("/api/v1/events", json={"exception": {"values": exceptions}, **more})
    settled(client)
    return f"/groups/{answer.json()['events'][0]['group']}"


def read(client: TestClient, path: str) -> Read:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200
    return Read(answer.text)


def listed(client: TestClient, path: str) -> str:
    """The text of the list, without the banners above it."""
    return read(client, path).text.partition(" Filter ")[2]


def hidden(page: str, name: str) -> str:
    """The value of a form's hidden field."""
    return page.split(f'name="{name}" value="')[1].split('"')[0]


def test_the_first_page_says_how_to_send_and_that_the_books_balance(client: TestClient) -> None:
    page = read(client, "/").text
    assert "http://any@127.0.0.1:8000/1" in page
    assert "curl http://127.0.0.1:8000/api/v1/events" in page
    assert "0 accepted, 0 unaccounted" in page
    assert "Open on loopback" in page


def test_the_list_shows_whose_why_and_what_was_told(client: TestClient) -> None:
    send(client, raised(WEB, TAX), environment="staging")
    page = read(client, "/").text
    assert "Payments error KeyError: 'NL'" in page
    assert "shop/billing/tax.py:88 in rate" in page
    rule = RULES.splitlines().index(next(r for r in RULES.splitlines() if "/billing/" in r)) + 1
    assert "Why: frame path: /shop/billing/" in page
    assert f"ownership_rules.yaml:{rule}" in page
    assert "first_seen → log delivered" in page
    assert "first_seen → unset dead unconfigured $NOWHERE is not set" in page
    assert "1 alert was told nowhere" in page


def test_a_test_message_that_died_links_to_its_delivery(client: TestClient) -> None:
    (sent,) = client.post("/api/v1/teams/payments/send?receiver=unset").json()["deliveries"]
    settled(client)
    assert f'href="/api/v1/deliveries/{sent["id"]}"' in client.get("/").text
    assert client.get(f"/api/v1/deliveries/{sent['id']}").json()["state"] == "dead"


def test_what_a_baseline_marked_is_shown_as_such(client: TestClient) -> None:
    group = send(client, raised(DJANGO))
    client.post("/api/v1/baseline").raise_for_status()
    assert "baseline just now" in read(client, group).text


@pytest.mark.parametrize(
    ("frame", "shown"),
    [
        (WEB, "no_receiver no receiver of the team fits"),
        (PB2, "generated/pb2.py is unowned on purpose"),
        (DJANGO, "no frame, fallback or default names an owner"),
    ],
)
def test_every_no_has_its_reason(client: TestClient, frame: dict[str, Any], shown: str) -> None:
    send(client, raised(frame))
    assert shown in read(client, "/").text


def test_groups_are_filtered_by_team_status_and_words(client: TestClient) -> None:
    send(client, raised(TAX))
    send(client, raised(PB2, error="ParseError"))
    found = {
        query: [name for name in ("KeyError", "ParseError") if f"{name}: " in listed(client, query)]
        for query in ("/?team=payments", "/?team=unowned", "/?q=parse", "/?status=resolved")
    }
    assert list(found.values()) == [["KeyError"], ["ParseError"], ["ParseError"], []]


def many(number: int) -> list[dict[str, Any]]:
    return [{"exception": {"values": [raised(TAX, error=f"Error{n}")]}} for n in range(number)]


def test_the_list_costs_as_many_reads_for_many_groups_as_for_one(client: TestClient) -> None:
    reads: list[str] = []

    def note(*said: Any) -> None:
        if threading.current_thread().name.startswith("AnyIO"):  # a watch reads for itself
            reads.append(said[2])

    send(client, raised(TAX))
    event.listen(house_of(client).engine, "before_cursor_execute", note)
    client.get("/", headers=HTML)
    for_one = len(reads)
    assert for_one > 0
    client.post("/api/v1/events", json=many(20))
    reads.clear()
    client.get("/", headers=HTML)
    assert len(reads) == for_one


def test_older_groups_are_a_link_away(client: TestClient) -> None:
    client.post("/api/v1/events", json=many(55))
    settled(client)
    links = read(client, "/?team=payments").attributes["href"]
    older = next(link for link in links if "cursor=" in link)
    assert "team=payments" in older
    assert client.get(older, headers=HTML).text.count("<h2><a") == 5


def test_a_group_shows_a_verdict_for_every_frame(client: TestClient) -> None:
    path = send(
        client,
        raised(WEB, TAX, CACHE, DJANGO) | {"mechanism": {"source": "__cause__"}},
        raised(WEB, error="InvoiceError", value="no invoice"),
    )
    page = read(client, path).text
    for shown in (
        "KeyError cause of InvoiceError",
        "django/core.py:5 in inner not_in_app",
        "lib/cache.py:31 in get transparent platform path: /lib/",
        "shop/billing/tax.py:88 in rate owned decides: payments path: /shop/billing/",
        "over path: /shop/",
        "shop/web/pay.py:12 in pay not reached would be platform path: /shop/",
        "InvoiceError thrown",
        "Feature invoicing Criticality high",
        "override no override matches the event",
    ):
        assert shown in page


def test_a_group_shows_the_facts_of_its_newest_event(client: TestClient) -> None:
    facts = {
        "release": "shop@1",
        "server_name": "web-07",
        "transaction": "/pay",
        "tags": {"a": "b", "runtime": "CPython"},
    }
    path = send(client, raised(TAX), environment="production", level="error", **facts)
    page = read(client, path).text
    assert "Payments critical level error unresolved KeyError" in page
    for shown in (
        "Release shop@1",
        "Transaction /pay",
        "Server web-07",
        "Tags a [masked] runtime CPython",
    ):
        assert shown in page


HOSTILE = [
    "<script>alert(1)</script>",
    "</pre></code><img src=x onerror=alert(1)>",
    '" autofocus onfocus="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(start: Start, text: str) -> None:
    client = start(RULES + 'visible: ["extra.*", "tags.*"]\n')
    frame = TAX | {"function": text, "context_line": text}
    urls = {"transaction": "javascript:alert(1)", "request": {"url": "javascript:alert(1)"}}
    path = send(
        client, raised(frame, error=text, value=text), tags={text: text}, extra={text: text}, **urls
    )
    for page in (read(client, "/"), read(client, path)):
        assert text in page.text
        assert not page.tags & {"script", "style"}
        assert page.attributes["src"] == ["/static/favicon.svg"]
        assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
        assert not [href for href in page.attributes["href"] if ":" in href]


def test_characters_that_hide_or_reorder_text_are_spelled_out(client: TestClient) -> None:
    path = send(client, raised(TAX, value="\u202egnp.exe\u202c \x07bell \u2066x"))
    page = client.get(path, headers=HTML).text
    assert not set(page) & set("\u202e\u202c\u2066\x07")
    assert r"\u202egnp.exe\u202c \u0007bell \u2066x" in page


def test_every_page_forbids_scripts_and_frames(client: TestClient) -> None:
    for path in ("/", send(client, raised(TAX)), "/groups/none"):
        policy = client.get(path, headers=HTML).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "script-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy


def test_resolve_is_a_button(client: TestClient) -> None:
    path = send(client, raised(TAX))
    answer = client.post(f"{path}/resolve")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert "resolved" in read(client, path).text.split("KeyError")[1].split("Stack")[0].lower()
    assert read(client, "/?status=resolved").text.count("KeyError: 'NL'") >= 1


def top(client: TestClient, path: str) -> str:
    """The text of a group's page above its stack."""
    return read(client, path).text.split("KeyError", 2)[2].partition(" Stack ")[0]


def test_what_is_fixed_is_resolved_in_its_release(client: TestClient) -> None:
    path = send(client, raised(TAX), release="1.4.2")
    assert "Resolve in 1.4.2" in top(client, path)
    client.post(f"{path}/resolve", data={"release": "1.4.2"})
    assert "Should it come again in a release newer than 1.4.2" in top(client, path)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("24 h", ", until 20"),
        ("100 more times", ", until seen 101\N{MULTIPLICATION SIGN}."),
        ("for ever", ", for ever."),
    ],
)
def test_a_group_is_ignored_for_as_long_as_was_chosen(
    client: TestClient, choice: str, said: str
) -> None:
    path = send(client, raised(TAX))
    assert client.post(f"{path}/ignore", data={"until": choice}).status_code == 303
    assert "Ignored since" in top(client, path)
    assert said in top(client, path)
    assert client.post(f"{path}/unresolve").headers["location"] == path
    assert "Ignored since" not in top(client, path)


def test_a_group_is_given_to_a_team_with_the_entry_that_makes_it_permanent(
    client: TestClient,
) -> None:
    path = send(client, raised(TAX))
    client.post(f"{path}/assign", data={"team": "payments"})
    assert "Assigned to Payments, whoever the rules name." in top(client, path)
    assert client.post(f"{path}/assign", data={"team": "platform"}).status_code == 303
    assert "Assigned to Platform" in top(client, path)
    assert "- {path: /shop/billing/tax.py, owner: platform}" in top(client, path)
    client.post(f"{path}/assign", data={"team": ""})
    assert "Assigned to" not in top(client, path)


def test_a_group_tells_who_did_what(client: TestClient) -> None:
    path = send(client, raised(TAX))
    client.post(f"{path}/resolve", data={"release": "1.4.2"})
    client.post(f"/api/v1{path}/unresolve", json={"by": "<b>jane</b>"})
    trail = read(client, path).text.partition("Who did what ")[2]
    assert re.match(r"unresolve by <b>jane</b> .+ resolve by page .+ release 1\.4\.2", trail)


@pytest.mark.parametrize(
    ("what", "asked", "said"),
    [
        ("ignore", {"until": "a while"}, "one of 1 h"),
        ("ignore", {"until": "the next escalation"}, "it would never end"),
        ("assign", {"team": "platfrom"}, "did you mean"),
    ],
)
def test_a_form_that_asks_what_cannot_be_is_told_why(
    client: TestClient, what: str, asked: dict[str, str], said: str
) -> None:
    answer = client.post(f"{send(client, raised(TAX))}/{what}", data=asked, headers=HTML)
    assert answer.status_code == 422
    assert said in answer.text


def test_nothing_is_done_to_what_is_not_there(client: TestClient) -> None:
    asked = {"until": "1 h", "team": "platform"}
    acts = ("resolve", "ignore", "unresolve", "assign")
    answers = [client.post(f"/groups/none/{act}", data=asked, headers=HTML) for act in acts]
    assert [answer.status_code for answer in answers] == [404] * 4


def test_a_dead_delivery_can_be_tried_again(client: TestClient) -> None:
    path = send(client, raised(TAX))
    before = house_of(client).store.deliveries(1, state="dead").items[0]
    retry = next(
        action for action in read(client, path).attributes["action"] if action.endswith("/retry")
    )
    answer = client.post(retry)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}#told")
    settled(client)
    after = house_of(client).store.delivery(before.id)
    assert after is not None
    assert (after.state, after.attempts) == ("dead", 1)
    assert (after.created_at, after.since > before.since) == (before.created_at, True)


def test_a_delivered_one_cannot(client: TestClient) -> None:
    send(client, raised(TAX))
    delivered = house_of(client).store.deliveries(1, state="delivered").items[0]
    answer = client.post(f"/deliveries/{delivered.id}/retry", headers=HTML)
    assert answer.status_code == 409
    assert "it is delivered" in Read(answer.text).text


def test_problems_of_the_rules_are_loud(start: Start) -> None:
    client = start(rules=RULES.replace("owner: payments", "owner: paymnets"))
    page = read(client, "/").text
    assert "No rules have loaded" in page
    assert 'ownership_rules.yaml:10:35 unknown team "paymnets"' in page
    client.post("/api/v1/events", json={"exception": {"values": [raised(TAX)]}})
    assert "kept undecided: 1 so far" in read(client, "/").text


def test_the_last_good_rules_are_said_to_stay(client: TestClient) -> None:
    keeper = house_of(client).settings.rules
    keeper.write_text(RULES + "nonsense: 1\n")
    client.post("/api/v1/rules/reload")
    page = read(client, "/").text
    assert "The rules file is quarantined" in page
    assert "the last good one, stays in force" in page


@pytest.mark.parametrize(
    ("path", "status"),
    [("/groups/none", 404), ("/nowhere", 404), ("/?cursor=x", 400), (f"/?q={'x' * 201}", 422)],
)
def test_a_browser_is_shown_a_page_a_program_problem_json(
    client: TestClient, path: str, status: int
) -> None:
    page = client.get(path, headers=HTML)
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (status, "text/html")
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


# Logging in


@pytest.fixture
def closed(start: Start) -> TestClient:
    """A service with an admin token."""
    return start(admin_token=SecretStr(TOKEN))


@pytest.fixture
def logged_in(closed: TestClient) -> TestClient:
    closed.post("/login", data={"token": TOKEN})
    return closed


def test_a_browser_is_sent_to_log_in_and_a_program_told_why(closed: TestClient) -> None:
    answer = closed.get("/?team=payments", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?to=%2F%3Fteam%3Dpayments"
    for path in ("/", "/api/v1/groups"):
        refused = closed.get(path, headers={"accept": "application/json"})
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"


def test_the_token_logs_in(closed: TestClient) -> None:
    answer = closed.post("/login", data={"token": f" {TOKEN}\n", "to": "/groups/x"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/groups/x")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert "Log out" in read(closed, "/").text


def test_the_cookie_is_secure_where_the_pages_are(start: Start) -> None:
    client = start(admin_token=SecretStr(TOKEN), public_url="https://alerts.example.com")
    answer = client.post("/login", data={"token": TOKEN})
    assert "; secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("token", ["wrong", "", "ü\udcff".encode("utf-8", "replace").decode()])
def test_a_wrong_token_is_said_to_be_wrong(closed: TestClient, token: str) -> None:
    answer = closed.post("/login", data={"token": token}, headers=HTML)
    assert answer.status_code == 401
    assert "This is not the admin token." in Read(answer.text).text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "evil"]
)
def test_nobody_is_sent_to_another_site(closed: TestClient, to: str) -> None:
    assert hidden(closed.get("/login", params={"to": to}).text, "to") == "/"
    answer = closed.post("/login", data={"token": TOKEN, "to": to})
    assert answer.headers["location"] == "/"


def test_a_wrong_token_is_logged_without_it(
    closed: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    closed.post("/login", data={"token": "guess-1234"})
    ours = [record for record in caplog.records if record.name.startswith("service")]
    assert [record.message for record in ours] == ["log_in_refused"]
    assert "guess-1234" not in str([vars(record) for record in caplog.records])


def test_a_form_needs_its_token(logged_in: TestClient) -> None:
    path = send(logged_in, raised(TAX))
    csrf = hidden(logged_in.get(path, headers=HTML).text, "csrf")
    resolve = f"{path}/resolve"
    assert [
        logged_in.post(resolve).status_code,
        logged_in.post(resolve, data={"csrf": "made up"}).status_code,
        logged_in.post(
            resolve, data={"csrf": csrf}, headers={"sec-fetch-site": "cross-site"}
        ).status_code,
        logged_in.post(resolve, data={"csrf": csrf}).status_code,
    ] == [403, 403, 403, 303]


def test_a_session_that_ended_comes_back_to_its_page(closed: TestClient) -> None:
    headers = HTML | {"referer": f"{BASE}/groups/x"}
    answer = closed.post("/groups/x/resolve", headers=headers)
    assert answer.headers["location"] == "/login?to=%2Fgroups%2Fx"


def test_logging_out_ends_the_session(logged_in: TestClient) -> None:
    csrf = hidden(logged_in.get("/", headers=HTML).text, "csrf")
    answer = logged_in.post("/logout", data={"csrf": csrf})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert logged_in.get("/", headers=HTML).status_code == 303


def test_who_is_not_logged_in_learns_nothing_of_the_house(closed: TestClient) -> None:
    for path in ("/login", "/nowhere"):
        page = Read(closed.get(path, headers=HTML).text).text
        assert "Books" not in page
        assert "ownership_rules" not in page
        assert "Log out" not in page


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"origin": BASE, "sec-fetch-site": "same-origin"}, 303),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1"}, 403),  # another port is another site
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "[::1"}, 403),
    ],
)
def test_an_open_service_acts_for_its_own_pages_only(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    path = send(client, raised(TAX))
    assert client.post(f"{path}/resolve", headers=headers).status_code == status


def test_behind_a_proxy_the_public_url_is_its_own_site(start: Start) -> None:
    client = start(admin_token=SecretStr(TOKEN), public_url="https://alerts.example.com:8443")
    own = {"origin": "https://alerts.example.com:8443"}
    assert client.post("/login", data={"token": TOKEN}, headers=own).status_code == 303
    other = {"origin": "https://alerts.example.com"}
    assert client.post("/login", data={"token": TOKEN}, headers=other).status_code == 403


NOW = datetime(2025, 11, 2, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "said"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=-59), "59 s ago"),
        (timedelta(minutes=-61), "1 h ago"),
        (timedelta(days=-3), "3 d ago"),
        (timedelta(minutes=2), "in 2 min"),
    ],
)
def test_moments_are_said_as_people_say_them(away: timedelta, said: str) -> None:
    assert ago(NOW + away, NOW) == said


def asked(**over: str) -> dict[str, str]:
    return {
        "matchers": 'team="payments"',
        "createdBy": "ada",
        "comment": "the bank is down",
        "for": "1 h",
    } | over


def test_a_group_is_silenced_from_its_page(client: TestClient) -> None:
    path = send(client, raised(TAX))
    page = client.get(path, headers=HTML).text
    assert f"group=&#34;{path.removeprefix('/groups/')}&#34;</textarea>" in page
    assert [word for word in ("1 h", "8 h", "24 h", "7 d") if f">Silence {word}<" not in page] == []
    made = client.post("/silences", data=asked(matchers=f'group="{path.removeprefix("/groups/")}"'))
    assert (made.status_code, made.headers["location"]) == (303, "/silences")
    assert "active group=" in read(client, "/silences").text


def test_the_list_says_who_why_and_how_many(client: TestClient) -> None:
    client.post("/silences", data=asked(comment="<script>x</script>\u202e"))
    path = send(client, raised(TAX))
    shown = read(client, "/silences")
    assert 'active team="payments" <script>x</script>\\u202e — ada' in shown.text
    assert f"hid 1, the last just now in group {path.removeprefix('/groups/')}" in shown.text
    assert "script" not in shown.tags
    assert "The newest event: silenced a silence holds Silences" in read(client, path).text


def test_a_silence_is_expired_from_the_list(client: TestClient) -> None:
    client.post("/silences", data=asked())
    (action,) = [to for to in read(client, "/silences").attributes["action"] if "expire" in to]
    assert client.post(action).headers["location"] == "/silences"
    shown = read(client, "/silences")
    assert 'expired team="payments"' in shown.text
    assert [to for to in shown.attributes["action"] if "expire" in to] == []


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"comment": " "}, "comment: String should have at least 1 character"),
        ({"createdBy": ""}, "createdBy: String should have at least 1 character"),
        ({"for": "1 y"}, "for: one of 1 h, 8 h, 24 h, 7 d"),
        ({"matchers": "payments"}, 'matchers: "payments" is not label="value"'),
        ({"matchers": "tem=payments"}, 'did you mean "team"?'),
        ({"matchers": "title=~("}, "at 1: a `(` is not closed"),
    ],
)
def test_a_form_that_is_no_silence_is_told_why(
    client: TestClient, over: dict[str, str], says: str
) -> None:
    answer = client.post("/silences", data=asked(**over), headers=HTML)
    assert answer.status_code == 422
    assert says in Read(answer.text).text


def test_silences_need_the_forms_token(logged_in: TestClient) -> None:
    csrf = hidden(logged_in.get("/silences", headers=HTML).text, "csrf")
    assert [
        logged_in.post("/silences", data=asked()).status_code,
        logged_in.post("/silences/x/expire").status_code,
        logged_in.post("/silences/x/expire", data={"csrf": csrf}).status_code,
        logged_in.post("/silences", data=asked(csrf=csrf)).status_code,
    ] == [403, 403, 404, 303]


def test_silences_go_on_by_pages(client: TestClient) -> None:
    for number in range(51):
        client.post("/silences", data=asked(comment=f"number {number} "))
    first = read(client, "/silences")
    (older,) = [to for to in first.attributes["href"] if to.startswith("/silences?")]
    assert first.text.count("number ") == 50
    assert read(client, older).text.count("number ") == 1
