"""What an operator does to the service as a whole."""

from fastapi import APIRouter

from service.endpoints.base import Admin, found, rules_of
from service.runtime import Runtime

endpoints = APIRouter(prefix="/api/v1", tags=["operations"])


@endpoints.post("/baseline")
def baseline(house: Admin, team: str | None = None) -> dict[str, int]:
    """Mark every group that is known as told to whoever would be, or to one team."""
    whose = slug_of(house, team) if team is not None else None
    now = house.clock()
    return house.writer.run(lambda tx: tx.groups.baseline(whose, now))


def slug_of(house: Runtime, team: str) -> str:
    """By slug or alias. Raises HTTPException 404."""
    rules = rules_of(house)
    return found(rules.teams.get(rules.ruleset.names.get(team, team)), "team").slug  # type: ignore[no-any-return]
