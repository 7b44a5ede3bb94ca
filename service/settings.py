"""Settings: environment variables with the prefix POINTSMAN_, each also as `…_FILE`.

    SettingsError    what is set cannot be; every mistake at once

PORT, HOST, LOG_LEVEL and SENTRY_DSN are read without the prefix too. docs/settings.md is generated
from the fields here.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy.engine import make_url

PREFIX = "POINTSMAN_"
_BARE = {"PORT", "HOST", "LOG_LEVEL", "SENTRY_DSN"}  # read without the prefix too


class SettingsError(Exception):
    """Holds one line per mistake; never a value, which may be a secret."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Annotated[str, Field(description="The address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="The port to listen on.")] = 8000
    rules: Annotated[Path, Field(description="The rules file.")] = Path("ownership_rules.yaml")
    repository: Annotated[
        Path | None,
        Field(
            description="A checkout, or a file that lists the repository's paths: "
            "a frame's path is then one of them."
        ),
    ] = None
    rules_poll_seconds: Annotated[
        float, Field(gt=0, description="How often the rules' files are looked at for a change.")
    ] = 5.0
    restrict_team_files: Annotated[
        bool,
        Field(description="Refuse rules of a team file that assign to another team than its own."),
    ] = False
    rules_repository: Annotated[
        SecretStr,
        Field(
            description="A git repository to follow: https, ssh, or a path. "
            "`POINTSMAN_RULES` is then a path inside it."
        ),
    ] = SecretStr("")
    rules_ref: Annotated[
        str, Field(description="The branch or tag to follow. Default: the repository's own.")
    ] = ""
    rules_repository_poll_seconds: Annotated[
        float, Field(gt=0, description="How often the repository is fetched without a webhook.")
    ] = 30.0
    rules_hook_secret: Annotated[
        SecretStr, Field(description="What signs `POST /hooks/rules`. Empty: it is closed.")
    ] = SecretStr("")
    sentry_hook_secret: Annotated[
        SecretStr,
        Field(
            description="What signs `POST /hooks/sentry`: the client secret of the integration "
            "in Sentry. Empty: it is closed."
        ),
    ] = SecretStr("")
    slack_signing_secret: Annotated[
        SecretStr,
        Field(description="What signs `POST /hooks/slack`, by Slack's app. Empty: no buttons."),
    ] = SecretStr("")
    database_url: Annotated[
        SecretStr,
        Field(
            description="Where events, groups and deliveries are kept: a SQLite file, or "
            "`postgresql+psycopg://user@host/database`."
        ),
    ] = SecretStr("sqlite:///data/pointsman.db")
    spool: Annotated[
        Path | None,
        Field(
            description="The file that takes events while the database cannot be reached. "
            "Default: `spool.db` beside SQLite's file, else in `data`."
        ),
    ] = None
    spool_bytes: Annotated[
        int, Field(gt=0, description="How much may wait in the spool; beyond it senders hear 503.")
    ] = 2**30
    keep_events_days: Annotated[
        int, Field(ge=0, description="How long events are kept. 0, here and below: for ever.")
    ] = 30
    keep_groups_days: Annotated[
        int,
        Field(
            ge=0,
            description="How long groups are kept after they were last seen; as long as their "
            "events at least.",
        ),
    ] = 90
    keep_deliveries_days: Annotated[
        int, Field(ge=0, description="How long it is kept what was told, and to whom.")
    ] = 400
    keep_audit_days: Annotated[
        int,
        Field(
            ge=0,
            description="How long it is kept who did what, which silences ended and which rules "
            "were in force.",
        ),
    ] = 400
    artifacts: Annotated[
        Path | None,
        Field(description="A folder of source maps, `RELEASE/path/to/bundle.js.map`."),
    ] = None
    url: Annotated[
        str | None, Field(description="Where the command line finds the service. Default: here.")
    ] = None
    public_url: Annotated[
        str | None,
        Field(description="How people reach the pages; every alert links there. Default: here."),
    ] = None
    ingest_keys: Annotated[
        SecretStr,
        Field(description="`key:project,…`: who may send events. Empty: anyone, on loopback only."),
    ] = SecretStr("")
    quota_per_minute: Annotated[
        int,
        Field(
            ge=0,
            description="How many events of one project and key are stored in a minute. What is "
            "beyond is answered and counted, `over_quota`. 0: no quota.",
        ),
    ] = 60_000
    allowed_origins: Annotated[
        str,
        Field(
            description="`https://shop.example.com,https://*.example.org`: "
            "whose web pages may send events. `*`: all."
        ),
    ] = "*"
    admin_token: Annotated[
        SecretStr,
        Field(description="Opens the API and the pages. Empty: open, on loopback only."),
    ] = SecretStr("")
    sentry_upstream: Annotated[
        SecretStr,
        Field(
            description="A Sentry DSN: what Sentry's SDKs send here goes on there, each error "
            "with its owner in its tags."
        ),
    ] = SecretStr("")
    sentry_upstream_bytes: Annotated[
        int,
        Field(
            ge=0,
            description="How much may wait while the upstream is down. Beyond it only envelopes "
            "with an error are kept.",
        ),
    ] = 2**30
    secret_key: Annotated[
        SecretStr,
        Field(
            description="Seals what waits for the upstream. Several, comma-separated: the first "
            "seals, any opens."
        ),
    ] = SecretStr("")
    allow_private_destinations: Annotated[
        bool,
        Field(description="Let channels post to loopback, private and link-local addresses."),
    ] = False
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="How much the service logs."),
    ] = "info"
    heartbeat_url: Annotated[
        SecretStr,
        Field(
            description="Asked (GET) each minute while events can be accepted and committed: a "
            "dead-man's switch, such as Healthchecks."
        ),
    ] = SecretStr("")
    log_format: Annotated[
        Literal["text", "json"], Field(description="How a line of the log is written.")
    ] = "text"
    drain_seconds: Annotated[
        int,
        Field(
            ge=1,
            description="How long requests may take to end once the service was told to stop; "
            "then they are cut.",
        ),
    ] = 10
    sentry_dsn: Annotated[
        SecretStr,
        Field(description="Where the service reports its own errors; never to itself."),
    ] = SecretStr("")

    @property
    def on_loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def base_url(self) -> str:
        """Without a last slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def folder(self) -> Path:
        """What is kept beside the database lies here."""
        where = make_url(self.database_url.get_secret_value())
        return Path(where.database or "").parent if where.drivername == "sqlite" else Path("data")

    @property
    def dsn(self) -> str:
        """What SDKs are given. A key that is set is a secret: KEY stands for it."""
        scheme, _, rest = self.base_url.partition("://")
        project = next(iter(self.keys.values()), "1")
        return f"{scheme}://{'KEY' if self.keys else 'any'}@{rest}/{project}"

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The newest first."""
        parts = (part.strip() for part in self.secret_key.get_secret_value().split(","))
        return tuple(filter(None, parts))

    @property
    def spool_path(self) -> Path:
        return self.spool or self.folder / "spool.db"

    @property
    def keys(self) -> dict[str, str]:
        """Ingest key → its project."""
        pairs = (pair.strip() for pair in self.ingest_keys.get_secret_value().split(","))
        return dict(_key(pair) for pair in pairs if pair)


def names_of(field: str) -> tuple[str, ...]:
    name = field.upper()
    return (PREFIX + name, name) if name in _BARE else (PREFIX + name,)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key(pair: str) -> tuple[str, str]:
    key, _, project = pair.partition(":")
    return key, project
