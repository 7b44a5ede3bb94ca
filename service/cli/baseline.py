"""`pointsman baseline`: what the running service knows already is told nobody."""

from service.cli.base import AsJson, answer_json, counted
from service.cli.remote import Remote, Team, Url


def baseline(team: Team = None, url: Url = None, as_json: AsJson = False) -> None:
    """Mark every group that the running service knows as told. What is new from now on is told."""
    marked = Remote(url).post("/api/v1/baseline", team=team)
    if as_json:
        answer_json(marked)
        return
    print(f"marked as told: {counted(marked['groups'], 'group')}, ", end="")
    print(counted(marked["audiences"], "audience"))
