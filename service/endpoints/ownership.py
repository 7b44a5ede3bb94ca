"""Who owns this: a path, many paths, an event, a traceback. And the teams themselves."""

import asyncio
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from matchers.event import Event
from matchers.lookup import look_up, lookup_json
from routers.configured import Unconfigured
from routers.rules import Rules
from routers.teams import Team
from service.endpoints.base import Admin, any_of, body_of, found, rules_of
from service.endpoints.validators import Validated
from service.explain import explain, receivers_shown
from service.ingest import base as wire
from service.ingest import native
from service.ingest.json_members import members
from service.ingest.json_parts import parts_of
from service.ingest.limits import EVENT, MIB
from service.ingest.truncation import trimmed
from service.memory import trim
from service.runtime import Runtime

PATHS_LIMIT = 10_000
PATHS_BODY = 2 * MIB  # bytes: 200 of each path
endpoints = APIRouter(prefix="/api/v1", tags=["ownership"], route_class=Validated)


class Paths(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    paths: Annotated[list[str], Field(max_length=PATHS_LIMIT), FailFast()]


_PATHS = Paths.model_json_schema()


async def asked_paths(_house: Admin, request: Request) -> Paths:
    """Raises RequestValidationError."""
    body = await body_of(request, PATHS_BODY)
    listed = members(parts_of(body, "paths").get("paths", b""))
    if next(islice(listed, PATHS_LIMIT, None), None) is not None:  # before they become objects
        said = f"List should have at most {PATHS_LIMIT} items"
        raise RequestValidationError([{"loc": ("body", "paths"), "msg": said}])
    try:
        return Paths.model_validate_json(body)
    except ValidationError as error:
        where = [one | {"loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(where) from None


@endpoints.get("/ownership")
def owner_of_path(
    house: Admin,
    path: Annotated[str, Query(min_length=1)],
    module: str | None = None,
    function: str | None = None,
) -> dict[str, Any]:
    """Who owns this path."""
    return _looked_up(path, rules_of(house), module, function)


@endpoints.post(
    "/ownership",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": _PATHS}}}},
)
def owners_of_paths(
    house: Admin, asked: Annotated[Paths, Depends(asked_paths)]
) -> list[dict[str, Any]]:
    """Who owns these paths, in the order asked; up to 10,000."""
    rules = rules_of(house)
    return [_looked_up(path, rules) for path in asked.paths]


@endpoints.post("/explain", openapi_extra={"requestBody": any_of(*native.ADAPTER.takes)})
async def explain_event(
    house: Admin, request: Request, why_not: str | None = None
) -> dict[str, Any]:
    """The decision on an event (JSON) or a traceback (text/plain), with every frame.

    why_not: a team; which rule, placed where, would have made it the owner.
    Nothing is stored, nothing is sent.
    """
    rules = rules_of(house)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    team = None if why_not is None else found(rules.ruleset.names.get(why_not), "team")
    about = wire.Request(content_type=content_type, project="1", received_at=house.clock())
    with house.hall.door() as enter:
        body = await body_of(request, enter=enter)
        async with house.hall.reading:
            event = await asyncio.to_thread(_only_event, body, about)
        del body
    (event,) = await house.artifacts.mapped([event])
    return await run_in_threadpool(explain, event, rules, team)


@endpoints.get("/teams")
def teams(house: Admin) -> dict[str, Any]:
    """Every team, and where it is told."""
    rules = rules_of(house)
    return {"teams": [_team(team, rules, house) for team in rules.teams.values()], "next": None}


@endpoints.get("/teams/{slug}")
def team(house: Admin, slug: str) -> dict[str, Any]:
    """One team, where it is told, and the rules by which it owns something."""
    rules = rules_of(house)
    known = found(rules.teams.get(rules.ruleset.names.get(slug, slug)), "team")
    owns = [
        {"file": rule.origin.file, "line": rule.origin.line, "text": rule.text}
        for rule in rules.ruleset.rules_of(known.slug)
    ]
    return _team(known, rules, house) | {"owns": owns, "revision": rules.revision}


def _only_event(body: bytes, about: wire.Request) -> Event:
    if len(body) > EVENT:
        trim()
    parsed = native.parse(body, about)
    if len(parsed.events) != 1:
        raise wire.InvalidEventError("not_one_event", "explain takes one event")
    return trimmed(parsed.events[0])


def _looked_up(
    path: str, rules: Rules, module: str | None = None, function: str | None = None
) -> dict[str, Any]:
    lookup = look_up(path, rules.ruleset, module=module, function=function)
    owner = lookup.owners[0] if lookup.owners else None
    return lookup_json(lookup, receivers_shown(owner, rules) if owner else ())


def _team(team: Team, rules: Rules, house: Runtime) -> dict[str, Any]:
    return {
        "slug": team.slug,
        "name": team.name,
        "aliases": list(team.aliases),
        "receivers": [
            {
                "channel": receiver.channel,
                "problem": _channel_problem(receiver.channel, rules),
                "breaker": _breaker(receiver.channel, house),
            }
            for receiver in rules.receivers_of(team.slug)
        ],
    }


def _channel_problem(name: str, rules: Rules) -> str | None:
    channel = rules.channels.get(name)
    return channel.reason if isinstance(channel, Unconfigured) else None


def _breaker(name: str, house: Runtime) -> dict[str, Any] | None:
    """None: the destination is well, as far as anybody knows."""
    known = house.breakers.shown(name)
    if known is None:
        return None
    return {
        "state": "open" if known.is_open else "closed",
        "code": known.code,
        "failures": known.failures,
        "since": known.since,
        "probe_at": known.probe_at,
    }
