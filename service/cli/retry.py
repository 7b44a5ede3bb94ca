"""`pointsman retry`: dead deliveries, tried again."""

from typing import Annotated
from urllib.parse import quote

import typer

from service.cli.base import AsJson, answer_json, misuse
from service.cli.remote import Remote, Url, print_row


def retry(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...")] = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="All that are dead.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Try dead deliveries again, now. What becomes of them, `pointsman deliveries` says."""
    if bool(ids) == all_dead:
        misuse("name the deliveries, or --all-dead")
    remote = Remote(url)
    # all of them first: what dies again meanwhile is not tried for ever
    named = ids or [one["id"] for one in remote.every("deliveries", state="dead")]
    tried = [remote.post(f"/api/v1/deliveries/{quote(one, safe='')}/retry") for one in named]
    if as_json:
        answer_json({"deliveries": tried})
        return
    for one in tried:
        print_row(one["id"], one["notification"]["receiver"], one["state"])
