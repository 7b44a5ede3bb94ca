"""`pointsman send`: a test message, on the way that every alert takes."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from service.cli.base import FINDINGS, AsJson, answer_json
from service.cli.remote import Remote, Url, became, print_row

Wait = Annotated[
    float, typer.Option("--wait", min=0, help="Seconds to wait for the channels' answers.")
]
TOLD = ("delivered", "merged")


def send(
    team: Annotated[str, typer.Option("--team", help="Whom to tell, by slug or alias.")],
    receiver: Annotated[
        str | None, typer.Option("--receiver", help="One channel. Default: the team's that fit.")
    ] = None,
    severity: Annotated[
        str, typer.Option("--severity", help="What receivers are chosen by.")
    ] = "info",
    environment: Annotated[
        str | None, typer.Option("--environment", help="What receivers are chosen by.")
    ] = None,
    wait: Wait = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Send a test message to a team's real channel. Exits with 1 where it did not arrive."""
    remote = Remote(url)
    asked = {"receiver": receiver, "severity": severity, "environment": environment}
    sent = remote.post(f"/api/v1/teams/{quote(team, safe='')}/send", **asked)
    answer(remote.outcomes(sent["deliveries"], wait), {}, as_json=as_json)


def answer(deliveries: list[dict[str, Any]], untold: dict[str, str], *, as_json: bool) -> None:
    """What became of each, and which teams were told nothing, with the reason.

    Exits with FINDINGS where one did not arrive.
    """
    if as_json:
        answer_json({"deliveries": deliveries, "untold": untold})
    else:
        for one in deliveries:
            told = one["notification"]
            print_row(told["team"], told["receiver"], told["title"], became(one))
        for team, why in sorted(untold.items()):
            print_row(team, why)
    if any(one["state"] not in TOLD for one in deliveries):
        raise typer.Exit(FINDINGS)
