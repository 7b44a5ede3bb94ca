"""The rules in force, and what is wrong with the file as it stands."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from routers.schema import rules_schema
from service.acts import audited
from service.endpoints.base import Admin, By, plain
from service.endpoints.validators import Validated
from service.rules import Status

endpoints = APIRouter(prefix="/api/v1/rules", tags=["rules"], route_class=Validated)


@endpoints.get("")
def rules(house: Admin) -> dict[str, Any]:
    """Revision, files, quarantine, problems."""
    return _status(house.rules.status())


@endpoints.get("/schema")
def schema() -> JSONResponse:
    """The rules file as a JSON Schema. Open to all: an editor has no token."""
    return JSONResponse(rules_schema(), media_type="application/schema+json")


@endpoints.post("/reload")
def reload(house: Admin, by: By = "api") -> dict[str, Any]:
    """Read the file again. One with problems changes nothing; the answer then lists them."""
    status = house.reload_rules()
    entry = audited(house.clock(), by, "reload", "rules", revision=status.revision)
    house.writer.run(lambda tx: tx.audit(entry))
    return _status(status)


def _status(status: Status) -> dict[str, Any]:
    return {
        "revision": status.revision,
        "loaded_at": plain(status.loaded_at),
        "rewritten": plain(status.rewritten),
        "files": [plain(file) for file in status.files],
        "problems": [
            {
                "file": problem.origin.file,
                "line": problem.origin.line,
                "column": problem.origin.column,
                "message": problem.message,
            }
            for problem in status.problems
        ],
    }
