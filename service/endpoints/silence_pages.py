"""Silences as people look at them: the list, the form, the button that ends one."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from routers.silences import LABELS
from service.endpoints.base import Admin, found
from service.endpoints.pages import SHOWN, AdminForm, Fields, render_page
from service.endpoints.silences import expire_silence, make_silence
from service.silence_form import DURATIONS, notation, posted_by

endpoints = APIRouter(include_in_schema=False)


@endpoints.get("/silences")
def silences(request: Request, house: Admin, cursor: str | None = None) -> Response:
    now = house.clock()
    page = house.silence_store.page(SHOWN, cursor, now=now)
    return render_page(
        request,
        "silences.html",
        rows=[
            {
                "kept": one,
                "state": one.silence.state(now),
                "matchers": [notation(matcher) for matcher in one.silence.matchers],
            }
            for one in page.items
        ],
        labels=LABELS,
        durations=DURATIONS,
        paged=cursor is not None,
        older=page.next and "/silences?" + urlencode({"cursor": page.next}),
    )


@endpoints.post("/silences")
def make(house: AdminForm, form: Fields) -> Response:
    make_silence(house, posted_by(form, house.clock()))
    return RedirectResponse("/silences", 303)


@endpoints.post("/silences/{id}/expire")
def expire(house: AdminForm, id: str) -> Response:  # noqa: A002 the path's own word
    found(expire_silence(house, id, by="page"), "silence")
    return RedirectResponse("/silences", 303)
