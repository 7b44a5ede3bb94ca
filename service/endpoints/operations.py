"""What an operator does to the service as a whole."""

import logging
import secrets
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, HTTPException

from matchers.errors import did_you_mean
from routers.notification import Notification, Severity
from routers.rules import Rules
from routers.teams import Team
from routers.trial import Trial, chosen, message
from service.endpoints.base import Admin, found, rules_of
from service.endpoints.deliveries import delivery_json
from service.runtime import Runtime
from service.store.rows import Delivery

LOG = logging.getLogger(__name__)
endpoints = APIRouter(prefix="/api/v1", tags=["operations"])


@endpoints.post("/baseline")
def baseline(house: Admin, team: str | None = None) -> dict[str, int]:
    """Mark every group that is known as told to whoever would be, or to one team."""
    whose = team_of(team, rules_of(house)).slug if team is not None else None
    now = house.clock()
    marked = house.writer.run(lambda tx: tx.groups.baseline(whose, now))
    LOG.info("baseline", extra={"team": whose, **marked})
    return marked


@endpoints.post("/teams/{slug}/send")
def send(
    house: Admin,
    slug: str,
    receiver: str | None = None,
    severity: Severity = "info",
    environment: str | None = None,
) -> dict[str, Any]:
    """Send a test message to a team, through the receivers that fit, or through one channel."""
    rules, now, url = rules_of(house), house.clock(), house.settings.base_url
    team = team_of(slug, rules)
    if receiver is not None and receiver not in rules.channels:
        nearest = did_you_mean(receiver, rules.channels)
        raise HTTPException(404, f"there is no such channel{nearest}")
    trial = Trial(
        id=secrets.token_hex(8), receiver=receiver, severity=severity, environment=environment
    )
    choice = chosen(trial, team, rules, now)
    if not choice.channels:
        why = "muted_time" if choice.muted else "no_receiver"
        raise HTTPException(409, f"{why}: no receiver of {team.slug} takes this now; name one")
    told = [message(trial, team, name, public_url=url, now=now) for name in choice.channels]
    return {"deliveries": [delivery_json(one) for one in queued(house, told)]}


@endpoints.post("/digest")
def digest(house: Admin, team: str | None = None) -> dict[str, Any]:
    """Tell every team of its last seven days, or one."""
    rules = rules_of(house)
    teams = [team_of(team, rules).slug] if team is not None else list(rules.teams)
    told = house.digest_watch.tell_now(rules, teams)
    shown = [delivery_json(one) for one in told.deliveries]
    return {"deliveries": shown, "untold": told.untold}


def queued(house: Runtime, told: Sequence[Notification]) -> list[Delivery]:
    """On their way once this returns."""
    now = house.clock()
    deliveries = house.writer.run(lambda tx: [tx.queue(one, now) for one in told])
    for one in told:
        house.telemetry.queued(one)
    return deliveries


def team_of(name: str, rules: Rules) -> Team:
    """By slug or alias. Raises HTTPException 404."""
    team: Team = found(rules.teams.get(rules.ruleset.names.get(name, name)), "team")
    return team
