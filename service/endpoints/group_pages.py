"""The forms on a group's page: what a person does about it."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from service import acts
from service.endpoints.base import found
from service.endpoints.pages import AdminForm, Fields
from service.ignore_form import chosen

endpoints = APIRouter(prefix="/groups", include_in_schema=False)
BY = "page"


@endpoints.post("/{id}/resolve")
def resolve(house: AdminForm, id: str, form: Fields) -> Response:  # noqa: A002 the path's own word
    release = form.get("release") or None
    return _back(id, acts.resolve(house, id, by=BY, release=release))


@endpoints.post("/{id}/ignore")
def ignore(house: AdminForm, id: str, form: Fields) -> Response:  # noqa: A002
    return _back(id, acts.ignore(house, id, by=BY, until=chosen(form, house.clock())))


@endpoints.post("/{id}/unresolve")
def unresolve(house: AdminForm, id: str) -> Response:  # noqa: A002
    return _back(id, acts.unresolve(house, id, by=BY))


@endpoints.post("/{id}/assign")
def assign(house: AdminForm, id: str, form: Fields) -> Response:  # noqa: A002
    return _back(id, acts.assign(house, id, form.get("team"), by=BY))


def _back(id: str, group: Any) -> Response:  # noqa: A002
    found(group, "group")
    return RedirectResponse(f"/groups/{id}", 303)
