"""What people look at: the newest groups, one group, and the log-in form. Plain HTML."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from service.auth import COOKIE, SESSION_SECONDS
from service.endpoints.base import Admin, Open, found, plain, runtime
from service.endpoints.deliveries import delivery_json, retry_delivery
from service.endpoints.groups import group_json, resolve_group
from service.runtime import Runtime
from service.stack import stack
from service.store.store import GroupFilter

SHOWN = 50  # groups on the first page
endpoints = APIRouter(include_in_schema=False)
_templates = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")


def admin_form(request: Request, csrf: Annotated[str, Form()] = "") -> Runtime:
    """As `admin`, for a form of ours."""
    house = runtime(request)
    house.auth.admit(request.headers, request.cookies.get(COOKIE), changes=True, csrf=csrf)
    return house


AdminForm = Annotated[Runtime, Depends(admin_form)]


@endpoints.get("/")
def newest_groups(
    request: Request,
    house: Admin,
    team: str = "",
    status: str = "",
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: str | None = None,
) -> Response:
    wanted = GroupFilter(team=team or None, status=status or None, q=q or None)
    page = house.store.groups(wanted, SHOWN, cursor)
    rules = house.rules.current()
    asked = {"team": team, "status": status, "q": q}
    return _page(
        request,
        "groups.html",
        groups=[group_json(group, house) for group in page.items],
        teams=list(rules.teams.values()) if rules else [],
        asked=asked,
        older=page.next and "?" + urlencode(asked | {"cursor": page.next}),
        books=house.store.accounting(),
    )


@endpoints.get("/groups/{id}")
def one_group(request: Request, house: Admin, id: str) -> Response:  # noqa: A002 the path's own word
    group = found(house.store.group(id), "group")
    kept = next(iter(house.store.events_of(id, 1)), None)
    deliveries = house.store.deliveries(50, group=id).items
    return _page(
        request,
        "group.html",
        group=group_json(group, house),
        event=plain(kept.event) if kept else None,
        decision=kept.decision if kept else None,
        stack=stack(kept.event, kept.decision) if kept else [],
        deliveries=[delivery_json(delivery) for delivery in deliveries],
    )


@endpoints.post("/groups/{id}/resolve")
def resolve(house: AdminForm, id: str) -> Response:  # noqa: A002
    found(resolve_group(house, id), "group")
    return RedirectResponse(f"/groups/{id}", 303)


@endpoints.post("/deliveries/{id}/retry")
def retry(house: AdminForm, id: str) -> Response:  # noqa: A002
    delivery = found(retry_delivery(house, id), "delivery")
    return RedirectResponse(f"/groups/{delivery.notification.group}", 303)


@endpoints.get("/login")
def log_in_form(request: Request, _house: Open, to: str = "/") -> Response:
    return _page(request, "login.html", to=_own_path(to), wrong=False)


@endpoints.post("/login")
def log_in(
    request: Request, house: Open, token: Annotated[str, Form()], to: Annotated[str, Form()] = "/"
) -> Response:
    session = house.auth.log_in(token.strip())
    if session is None:
        return _page(request, "login.html", 401, to=_own_path(to), wrong=True)
    answer = RedirectResponse(_own_path(to), 303)
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
    asked = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"/login?{urlencode({'to': asked})}", 303)


def error_page(request: Request, status: int, detail: str) -> Response:
    return _page(request, "error.html", status, code=status, detail=detail)


def _page(request: Request, template: str, status: int = 200, **about: Any) -> Response:
    house = runtime(request)
    about |= {
        "csrf": house.auth.csrf(request.cookies.get(COOKIE)),
        "open": house.auth.is_open,
        "rules": house.rules.status(),
    }
    answer = _templates.TemplateResponse(request, template, about, status)
    answer.headers["Content-Security-Policy"] = (
        "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def _own_path(to: str) -> str:
    """Only ever a path of ours: no other site can have people sent to it from here."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
