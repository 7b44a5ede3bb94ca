"""Webhooks that tell the service of something elsewhere: a push to the rules' repository."""

import logging

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from service.auth import RefusedError
from service.endpoints.base import Open
from service.ingest.body import read_body
from service.rules_hook import InvalidPushError, ignored, is_genuine

LOG = logging.getLogger(__name__)
LIMIT = 1024 * 1024  # bytes
endpoints = APIRouter(prefix="/hooks", tags=["hooks"])


@endpoints.post("/rules")
async def rules(request: Request, house: Open) -> Response:
    """A signed push of GitHub or GitLab: the repository is fetched, soon after the answer."""
    settings = house.settings
    secret = settings.rules_hook_secret.get_secret_value()
    if not secret:
        raise HTTPException(404, "POINTSMAN_RULES_HOOK_SECRET is not set")
    if not settings.rules_repository.get_secret_value():
        raise HTTPException(404, "POINTSMAN_RULES_REPOSITORY is not set")
    body = await read_body(request.stream(), None, limit=LIMIT)
    if not is_genuine(request.headers, body, secret):
        LOG.warning("rules_hook_refused", extra={"reason": "the signature or token is not ours"})
        raise RefusedError(403, "needs X-Hub-Signature-256 or X-Gitlab-Token, by the hook's secret")
    try:
        reason = ignored(request.headers, body, settings.rules_ref)
    except InvalidPushError as error:
        raise HTTPException(400, str(error)) from None
    if reason is not None:
        return JSONResponse({"ignored": reason})
    house.rules_watch.wake()
    return JSONResponse({"fetching": settings.rules_ref or "HEAD"}, 202)
