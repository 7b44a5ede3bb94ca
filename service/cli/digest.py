"""`pointsman digest`: each team's week, told now."""

from service.cli.base import AsJson
from service.cli.remote import Remote, Team, Url
from service.cli.send import Wait, answer


def digest(team: Team = None, wait: Wait = 20, url: Url = None, as_json: AsJson = False) -> None:
    """Tell every team of its last seven days, or one. Exits with 1 where it did not arrive."""
    remote = Remote(url)
    told = remote.post("/api/v1/digest", team=team)
    outcomes = remote.outcomes(told["deliveries"], wait)
    answer(outcomes, told["untold"], as_json=as_json)
