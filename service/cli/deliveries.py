"""`pointsman deliveries`: what was told, to whom, and what became of it."""

from itertools import islice
from typing import Annotated
from urllib.parse import quote

import typer

from service.cli.base import AsJson, answer_json, misuse
from service.cli.remote import Remote, Url, became, print_row


def deliveries(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="These alone, by what a message ends with."),
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="pending, delivered, merged or dead.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, at most.")] = 50,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """What the running service told, the newest first: its id, to whom, why, what became of it."""
    if ids and state:
        misuse("name deliveries, or --state")
    remote = Remote(url)
    if ids:
        found = [remote.get(f"/api/v1/deliveries/{quote(one, safe='')}") for one in ids]
    else:
        found = list(islice(remote.every("deliveries", state=state), limit))
    if as_json:
        answer_json({"deliveries": found})
        return
    for one in found:
        told = one["notification"]
        whom = (told["team"] or "nobody", told["receiver"])
        print_row(one["id"], *whom, told["reason"], became(one), told["title"])
