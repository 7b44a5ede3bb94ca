"""How the words that talk to a running service find it, and what they say when it says no."""

import os
import time
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import typer

from routers.message import one_line
from service.cli.base import misuse
from service.rules_git import masked
from service.settings import Settings, SettingsError, is_loopback
from service.settings_load import load_settings

PAUSE_SECONDS = 0.1  # between two looks
TIMEOUT_SECONDS = 60  # a baseline of very many groups takes its time
Url = Annotated[
    str | None,
    typer.Option("--url", help="The running service. Default: POINTSMAN_URL, this machine."),
]
Team = Annotated[str | None, typer.Option("--team", help="One team, by slug or alias.")]


class Remote:
    """The running service, with the admin token of the settings."""

    def __init__(self, url: str | None) -> None:
        """Exits with MISUSE where the settings cannot be."""
        try:
            settings = load_settings(os.environ).settings
        except SettingsError as error:
            misuse(str(error))
        self._url = (url or settings.url or _here(settings)).rstrip("/")
        self._shown = one_line(masked(self._url))  # without a password
        token = settings.admin_token.get_secret_value()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **asked: Any) -> Any:
        return self._ask("GET", path, asked)

    def post(self, path: str, **asked: Any) -> Any:
        return self._ask("POST", path, asked)

    def every(self, noun: str, **asked: Any) -> Iterator[dict[str, Any]]:
        """All members of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(f"/api/v1/{noun}", **asked, limit=200, cursor=cursor)
            yield from page[noun]
            cursor = page["next"]
            if cursor is None:
                return

    def outcomes(self, deliveries: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
        """The deliveries as they are once none of them is pending, or the time is over."""
        ends_at = time.monotonic() + seconds
        while True:
            now = [self.get(f"/api/v1/deliveries/{one['id']}") for one in deliveries]
            is_over = time.monotonic() > ends_at
            if is_over or all(one["state"] != "pending" for one in now):
                return now
            time.sleep(PAUSE_SECONDS)

    def _ask(self, method: str, path: str, asked: dict[str, Any]) -> Any:
        """Its answer. Exits with MISUSE where there is none, or a refusal."""
        params = {name: value for name, value in asked.items() if value is not None}
        try:
            answer = httpx.request(
                method,
                self._url + path,
                params=params,
                headers=self._headers,
                timeout=TIMEOUT_SECONDS,
                trust_env=not is_loopback(_host(self._url)),  # no proxy leads back to this machine
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            misuse(f"no service answers at {self._shown}: {type(error).__name__}; see --url")
        if not answer.is_success:
            misuse(f"{self._shown} answers {answer.status_code}: {_detail(answer)}")
        try:
            return answer.json()
        except ValueError:
            misuse(f"{self._shown} answers, but not as this service would")


def print_row(*parts: str | None) -> None:
    """What a terminal would obey is spelled out: errors and channels write some of it."""
    print("  ".join(map(one_line, parts)))


def became(delivery: dict[str, Any]) -> str:
    """What became of a delivery, and why, on one line."""
    said = (delivery["state"], delivery["last_code"], delivery["last_error"])
    carrier = delivery["carrier"] and f"carrier {delivery['carrier']}"  # docs/api.md
    fallback = delivery["fallback"] and f"told by {delivery['fallback']} instead"
    return "; ".join(filter(None, (": ".join(filter(None, said)), carrier, fallback)))


def _here(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _detail(answer: httpx.Response) -> str:
    try:
        said = answer.json()
    except ValueError:
        return answer.reason_phrase
    return one_line(str(said.get("detail") if isinstance(said, dict) else said))
