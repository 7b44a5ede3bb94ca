"""Source maps: uploaded by whoever builds a release, listed, deleted."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator

from matchers.text import NAME, PATH, clean
from service.artifacts import ReleaseFullError
from service.endpoints.base import Admin, Cursor, Limit, body_of, plain, problem
from service.ingest.base import PROJECT
from service.sourcemaps.frames import bundle_name
from service.sourcemaps.mappings import SourceMapError

endpoints = APIRouter(prefix="/api/v1/artifacts", tags=["artifacts"])


def _cleaned(value: str) -> str:
    """As the same word of an event is."""
    return clean(value, len(value)) or value


Release = Annotated[
    str,
    AfterValidator(_cleaned),
    Query(min_length=1, max_length=NAME, description="As the SDK is told, to the letter."),
]
Project = Annotated[
    str,
    AfterValidator(_cleaned),
    Query(min_length=1, max_length=PROJECT, description="The number in the DSN."),
]
Bundle = Annotated[
    str,
    AfterValidator(_cleaned),
    Query(
        min_length=1,
        max_length=PATH,
        description="The bundle's path or URL, with or without `~/` or a last `.map`.",
    ),
]
_BODY = {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The same map is kept already."},
    201: {"description": "It is kept."},
    400: {"description": "It is no source map; `place` says where."},
    413: {"description": "It is too large, or the release's maps are."},
}


@endpoints.post("", responses=_ANSWERS, openapi_extra={"requestBody": _BODY})
async def upload(
    request: Request, house: Admin, release: Release, name: Bundle, project: Project = "1"
) -> Response:
    """Keep the source map of one bundle. Of a project's releases the oldest go past 2 GiB."""
    bundle = bundle_name(name)
    if not bundle:
        raise HTTPException(400, "name: it names no bundle")
    with house.hall.door() as enter:  # also what is refused holds its map until it is said
        raw = await body_of(request, enter=enter)
        try:
            # not run_in_threadpool: its thread keeps what was raised, and so the map, for long
            artifact, is_new = await asyncio.to_thread(
                house.artifacts.keep, project, release, bundle, raw
            )
        except SourceMapError as error:
            return problem(400, str(error), code="no_source_map", place=error.place)
        except ReleaseFullError as error:
            return problem(413, str(error), code="release_full")
    return JSONResponse(plain(artifact), 201 if is_new else 200)


@endpoints.get("")
def artifacts(
    house: Admin,
    project: str | None = None,
    release: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The newest first."""
    page = house.artifact_store.page(limit, cursor, project=project, release=release)
    return {"artifacts": [plain(one) for one in page.items], "next": page.next}


@endpoints.delete("")
def delete(house: Admin, release: Release, project: Project = "1") -> dict[str, int]:
    """Forget every map of one release."""
    return {"deleted": house.artifacts.drop(project, release)}
