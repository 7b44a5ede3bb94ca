"""The basket, which lives in a cookie."""

import json


def show(cookie: str) -> str:
    hats: dict[str, int] = json.loads(cookie)
    return ", ".join(f"{count} {hat}" for hat, count in hats.items()) or "nothing yet"
