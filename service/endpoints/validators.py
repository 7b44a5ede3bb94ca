"""ETag and If-None-Match: who has the answer already is told so, instead of the answer.

Spec: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
The tag is the hash of the answer itself: whatever it depends on (the rules, the repository's
files, the query, what is quarantined), an answer that changed has another tag.
Cases: tests/service/test_validators.py.
"""

import re
from collections.abc import Callable, Coroutine
from hashlib import blake2b
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

_TAG = re.compile(r'"([^"]*)"')  # of a list; `W/` before it is passed over: the comparison is weak
_TEXT = {"schema": {"type": "string"}}
_ASKS = {"name": "If-None-Match", "in": "header", "required": False, **_TEXT}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": _TEXT}},
    304: {"description": "It is still what its `ETag` said.", "headers": {"ETag": _TEXT}},
}


class Validated(APIRoute):
    """An endpoint whose answers to GET carry an ETag: `APIRouter(…, route_class=Validated)`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if "GET" in options["methods"]:
            options |= {
                "responses": _ANSWERS | (options.get("responses") or {}),
                "openapi_extra": {"parameters": [_ASKS]},
            }
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def validated(request: Request) -> Response:
            found = await answer(request)
            asked = request.method == "GET" and found.status_code == 200
            return _validated(request, found) if asked else found

        return validated


def _validated(request: Request, found: Response) -> Response:
    tag = blake2b(found.body, digest_size=16).hexdigest()
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    known = ",".join(request.headers.getlist("if-none-match"))
    if known.strip() == "*" or tag in _TAG.findall(known):
        return Response(status_code=304, headers=headers)
    found.headers.update(headers)
    return found
