"""What people press in Slack: `POST /hooks/slack`, for presses and for the menu of teams.

Spec: https://docs.slack.dev/interactivity/handling-user-interaction
Slack waits 3 s. It shows who pressed that an answer past 2xx did not work. What the message says
of a press follows by itself: service/thread_watch.py.
"""

import logging
from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from routers.channels.slack import escape
from routers.group import Group, Until
from routers.slack_buttons import (
    ASSIGN,
    IGNORE,
    IGNORED_FOR,
    OPTION_LIMIT,
    RESOLVE,
    SILENCE,
    SILENCES,
    options,
)
from service import acts
from service.endpoints.base import Open, found
from service.endpoints.silences import make_silence
from service.ingest.body import read_body
from service.runtime import Runtime
from service.said import done_by
from service.slack_hook import InvalidPressError, Press, Typed, read

LOG = logging.getLogger(__name__)
LIMIT = 1024 * 1024  # bytes
DONE = {RESOLVE: "resolved", IGNORE: "ignored"}  # what a group then is, so that it is not again
endpoints = APIRouter(prefix="/hooks", tags=["hooks"])


class Posted(msgspec.Struct, frozen=True):
    body: bytes
    signature: str


async def posted(request: Request, house: Open) -> Posted:
    if not house.slack_door.is_open:
        raise HTTPException(404, "POINTSMAN_SLACK_SIGNING_SECRET is not set")
    body = await read_body(request.stream(), None, limit=LIMIT)
    return Posted(body, house.slack_door.admit(request.headers, body))


@endpoints.post("/slack")
def slack(house: Open, posted: Annotated[Posted, Depends(posted)]) -> Response:
    """A signed press of Slack's, or the teams that fit what is typed into its menu."""
    try:
        asked = read(posted.body)
    except InvalidPressError as error:
        raise HTTPException(400, str(error)) from None
    if isinstance(asked, Typed):
        return JSONResponse({"options": teams(house, asked.text)})
    if asked is None:
        return JSONResponse({"ignored": "it is nothing of ours"})
    if not house.slack_door.is_new(posted.signature):
        return JSONResponse({"ignored": "it was said before"})
    reason = perform(house, asked)
    return JSONResponse({"ignored": reason}) if reason else Response()


def teams(house: Runtime, typed: str) -> list[dict[str, object]]:
    """Those whose name or slug has it, as options of a menu."""
    rules, wanted = house.rules.current(), typed.casefold()
    known = sorted(rules.teams.values(), key=lambda team: team.name.casefold()) if rules else ()
    fitting = (team for team in known if wanted in f"{team.name} {team.slug}".casefold())
    return options((team.slug, escape(team.name, OPTION_LIMIT)) for team in fitting)


def perform(house: Runtime, press: Press) -> str | None:
    """None: it is done; else why it is not. Raises ActError."""
    act = ACTS.get(press.act)
    if act is None:
        return "there is no such button"
    group: Group = found(house.store.group(press.group), "group")
    if group.status == DONE.get(press.act):
        return f"it is {group.status} already"
    reason = act(house, press)
    LOG.info("slack_pressed", extra={"reason": reason or press.act, "id": press.group})
    return reason


def _resolve(house: Runtime, press: Press) -> None:
    acts.resolve(house, press.group, by=press.by)


def _ignore(house: Runtime, press: Press) -> None:
    until = Until(moment=house.clock() + IGNORED_FOR)
    acts.ignore(house, press.group, by=press.by, until=until)


def _assign(house: Runtime, press: Press) -> str | None:
    if not press.value:  # or it would go back to whoever the rules name
        return "no team is chosen"
    acts.assign(house, press.group, press.value, by=press.by)
    return None


def _silence(house: Runtime, press: Press) -> str | None:
    now, length = house.clock(), SILENCES.get(press.value)
    if length is None:
        return "no length is chosen"
    asked = {
        "matchers": [{"name": "group", "value": press.group}],
        "endsAt": now + length,
        "createdBy": press.by,
        "comment": "pressed in Slack",
    }
    make_silence(house, msgspec.json.encode(asked))
    what = done_by("silence", press.by, length=press.value)
    house.writer.run(lambda tx: tx.threads.revise(press.group, what, now))
    return None


ACTS: dict[str, Callable[[Runtime, Press], str | None]] = {
    RESOLVE: _resolve,
    IGNORE: _ignore,
    ASSIGN: _assign,
    SILENCE: _silence,
}
