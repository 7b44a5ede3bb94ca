"""What people look at: the newest groups, one group, and the log-in form. Plain HTML."""

import logging
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from matchers.event import title
from matchers.ruleset import Ruleset
from routers.configured import Unconfigured
from routers.group import Group
from routers.rules import Rules
from service.auth import COOKIE, SESSION_SECONDS
from service.endpoints.base import Admin, Open, body_of, found, runtime
from service.endpoints.deliveries import retry_delivery
from service.endpoints.groups import entry_for, project_name
from service.ignore_form import CHOICES
from service.overview import OUTCOMES, VERDICTS, severity_of, why
from service.render import render
from service.runtime import Runtime
from service.silence_form import DURATIONS
from service.spool import in_words
from service.stack import stack
from service.store.rows import Delivery
from service.store.search import EventFilter
from service.store.spool_file import SpoolError
from service.store.store import GroupFilter, Latest

LOG = logging.getLogger(__name__)
Form = dict[str, str]
FORM_LIMIT = 64 * 1024  # bytes
SHOWN = 50  # groups on a page
FEW = 10  # events on a group's
NOBODY = "unowned"  # in the filter: the groups that are no team's
_OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")
endpoints = APIRouter(include_in_schema=False)


async def form_of(request: Request) -> Form:
    """The fields of a form of ours: each once, and all of them small."""
    body = await body_of(request, FORM_LIMIT)
    return dict(parse_qsl(body.decode(errors="replace")))


def admin_form(request: Request, form: Annotated[Form, Depends(form_of)]) -> Runtime:
    """As `admin`, for a form of ours."""
    house, csrf = runtime(request), form.get("csrf", "")
    house.auth.admit(request.headers, request.cookies.get(COOKIE), changes=True, csrf=csrf)
    return house


AdminForm = Annotated[Runtime, Depends(admin_form)]
Fields = Annotated[Form, Depends(form_of)]


@endpoints.get("/")
def newest_groups(
    request: Request,
    house: Admin,
    team: str = "",
    status: str = "",
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: str | None = None,
) -> Response:
    whose = "" if team == NOBODY else team or None
    wanted = GroupFilter(team=whose, status=status or None, q=q.strip() or None)
    page = house.store.groups(wanted, SHOWN, cursor)
    latest = house.store.latest(page.items)
    asked = {"team": team, "status": status, "q": q}
    names = _names(house)
    return render_page(
        request,
        "groups.html",
        rows=[_row(group, latest[group.id], house, names) for group in page.items],
        teams=dict(sorted(names.items(), key=lambda named: named[1].casefold())),
        asked=asked,
        paged=cursor is not None,
        older=page.next and "/?" + urlencode(asked | {"cursor": page.next}),
        books=house.store.accounting(),
        lost=house.telemetry.errors_lost,
        spooled=spooled(house),
        rules=house.rules.status(),
        unconfigured=_unconfigured(house),
        breakers=house.breakers.open(),
        dead_ends=house.store.dead_ends(),
        dead=_dead(house),
    )


@endpoints.get("/groups/{id}")
def one_group(
    request: Request,
    house: Admin,
    id: str,  # noqa: A002 the path's own word
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    group = found(house.store.group(id), "group")
    kept = next(iter(house.store.events_of(id, 1)), None)
    decision = kept.decision if kept else None
    rules = house.rules.current()
    deliveries = house.store.deliveries(50, group=id).items
    return render_page(
        request,
        "group.html",
        group=group,
        team=_names(house).get(group.team or "", group.team),
        project=project_name(group.project, house),
        kept=kept,
        bodies=house.store.bodies_of(id),
        q=q,
        events=[
            (one, title(one.event))
            for one in house.search_store.events(
                EventFilter(group=id, q=q.strip() or None), FEW
            ).items
        ],
        decision=decision,
        why=why(decision),
        severity=severity_of(kept.event, decision, rules or Rules.empty())
        if kept and decision
        else None,
        stack=stack(kept.event, decision, rules.ruleset if rules else Ruleset()) if kept else [],
        deliveries=deliveries,
        carriers=house.store.carriers(deliveries),
        durations=DURATIONS,
        teams=dict(sorted(_names(house).items(), key=lambda named: named[1].casefold())),
        ignoring=CHOICES,
        permanent=entry_for(group, kept, house),
        acts=house.audit_store.page(SHOWN, subject=id).items,
    )


@endpoints.post("/deliveries/{id}/retry")
def retry(house: AdminForm, id: str) -> Response:  # noqa: A002
    delivery = found(retry_delivery(house, id, by="page"), "delivery")
    return RedirectResponse(f"/groups/{delivery.notification.group}#told", 303)


@endpoints.get("/login")
def log_in_form(request: Request, house: Open, to: str = "/") -> Response:
    if house.auth.is_open:
        return RedirectResponse(_own_path(to), 303)
    return render_page(request, "login.html", to=_own_path(to), wrong=False)


@endpoints.post("/login")
def log_in(request: Request, house: Open, form: Fields) -> Response:
    to = _own_path(form.get("to", "/"))
    session = house.auth.log_in(request.headers, form.get("token", "").strip())
    if session is None:
        LOG.warning("log_in_refused", extra={"sender": request.client and request.client.host})
        return render_page(request, "login.html", 401, to=to, wrong=True)
    answer = RedirectResponse(to, 303)
    answer.set_cookie(
        COOKIE,
        session,
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="lax",
        secure=house.settings.base_url.startswith("https:"),
    )
    return answer


@endpoints.post("/logout")
def log_out(_house: AdminForm) -> Response:
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


def wants_page(request: Request) -> bool:
    """A person with a browser, rather than a program."""
    path = request.url.path
    return "text/html" in request.headers.get("accept", "") and not path.startswith("/api/")


def to_log_in(request: Request) -> Response:
    """And back again afterwards: to what was asked, or to the page whose form was sent."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET":
        asked = _path_of(request.headers.get("referer", ""))
    return RedirectResponse(f"/login?{urlencode({'to': _own_path(asked)})}", 303)


def spooled(house: Runtime) -> str | None:
    """What waits for the database, and whether more is taken; None: nothing."""
    try:
        waits = in_words(house.spool.standing(), house.clock())
    except SpoolError as error:
        return f"the spool cannot be read: {error}"
    full = (
        house.spool.refusing and f"the spool is full ({house.spool.refusing}), senders are refused"
    )
    return "; ".join(filter(None, (waits, full))) or None


def error_page(request: Request, status: int, detail: str) -> Response:
    return render_page(request, "error.html", status, code=status, detail=detail)


def render_page(request: Request, template: str, status: int = 200, **about: Any) -> Response:
    house = runtime(request)
    cookie = request.cookies.get(COOKIE)
    about |= {
        "csrf": house.auth.csrf(cookie),
        "open": house.auth.is_open,
        "signed_in": house.auth.signed_in(cookie),
        "now": house.clock(),
        "outcomes": OUTCOMES,
        "verdicts": VERDICTS,
        "settings": {"dsn": house.settings.dsn, "base_url": house.settings.base_url},
    }
    return render(request, template, about, status)


def _row(group: Group, latest: Latest, house: Runtime, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "group": group,
        "team": names.get(group.team or "", group.team),
        "project": project_name(group.project, house),
        "why": why(latest.decision),
        "outcome": latest.outcome,
        "deliveries": latest.deliveries,
    }


def _names(house: Runtime) -> dict[str, str]:
    """A team's slug → its name."""
    rules = house.rules.current()
    return {team.slug: team.name for team in rules.teams.values()} if rules else {}


def _unconfigured(house: Runtime) -> dict[str, str]:
    """Channels that cannot send, and why."""
    rules = house.rules.current()
    channels = rules.channels.items() if rules else ()
    return {name: one.reason for name, one in channels if isinstance(one, Unconfigured)}


def _dead(house: Runtime) -> list[Delivery]:
    """The newest that were told nowhere, one of each group."""
    newest = house.store.deliveries(50, state="dead").items
    ended = [delivery for delivery in newest if delivery.fallback is None]
    return list({one.notification.group: one for one in reversed(ended)}.values())[::-1]


def _own_path(to: str) -> str:
    """Only ever a path of ours: no other site can have people sent to it from here."""
    return to if _OWN_PATH.fullmatch(to) else "/"


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return "/"
