"""Settings as the environment has them: read, and refused with every mistake at once."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from pydantic import ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from matchers.errors import did_you_mean
from service.origins import allowed_origins, is_origin
from service.rules_git import refused_ref, refused_url
from service.settings import PREFIX, Settings, SettingsError, names_of
from service.upstream.address import parse_dsn
from service.upstream.seal import SHORTEST

_SUPPORTED = "sqlite:///path/to/file.db and postgresql+psycopg://user@host/database"


class Loaded(msgspec.Struct, frozen=True):
    settings: Settings
    sources: Mapping[str, str]  # field → the variable it came from, or "default"
    warnings: tuple[str, ...]


def load_settings(environ: Mapping[str, str]) -> Loaded:
    """Raises SettingsError."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    problems: list[str] = []
    for field in Settings.model_fields:
        for name in names_of(field):
            if name in environ:
                values[field], sources[field] = environ[name], name
                break
            if f"{name}_FILE" in environ:
                values[field] = _read(f"{name}_FILE", environ[f"{name}_FILE"], problems)
                sources[field] = f"{name}_FILE"
                break
        else:
            sources[field] = "default"
    try:
        settings = Settings.model_validate(values)
        problems += _refused(settings)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            problems.append(f"{sources[str(detail['loc'][0])]}: {detail['msg']}")
    if problems:
        raise SettingsError(problems)
    return Loaded(settings, sources, tuple(_unknown(environ)))


def _read(name: str, path: str, problems: list[str]) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{name}: {path} cannot be read: {type(error).__name__}")
        return ""


def _refused(settings: Settings) -> Iterator[str]:
    yield from _refused_rules(settings)
    yield from _refused_upstream(settings)
    for pair in settings.ingest_keys.get_secret_value().split(","):
        key, colon, project = pair.strip().partition(":")
        if pair.strip() and not (key and colon and project):
            yield f"{PREFIX}INGEST_KEYS: each member is `key:project`"
            break
    if not _is_http(settings.heartbeat_url.get_secret_value() or "https://nobody"):
        yield f"{PREFIX}HEARTBEAT_URL: is not an http:// or https:// URL"
    if not all(map(is_origin, allowed_origins(settings.allowed_origins))):
        yield f"{PREFIX}ALLOWED_ORIGINS: each member is `https://host`, `https://*.host` or `*`"
    yield from _refused_database(settings.database_url.get_secret_value())


def _refused_database(url: str) -> Iterator[str]:
    name = f"{PREFIX}DATABASE_URL"
    try:
        where = make_url(url)
    except ArgumentError:
        yield f"{name}: an unreadable URL is not supported; {_SUPPORTED} are"
        return
    driver, file = where.drivername, where.database not in (None, "", ":memory:")
    if driver in ("postgresql", "postgresql+psycopg"):
        if not where.database:
            yield f"{name}: it names no database"
        if find_spec("psycopg") is None:
            yield f"{name}: the driver is missing: pip install 'pointsman[postgres]'"
    elif driver != "sqlite" or not file:
        said = "sqlite without a file" if driver == "sqlite" else driver
        yield f"{name}: {said} is not supported; {_SUPPORTED} are"


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _refused_rules(settings: Settings) -> Iterator[str]:
    url, rules = settings.rules_repository.get_secret_value(), settings.rules
    if not url:
        return
    if said := refused_url(url):
        yield f"{PREFIX}RULES_REPOSITORY: {said}"
    if settings.rules_ref and (said := refused_ref(settings.rules_ref)):
        yield f"{PREFIX}RULES_REF: {said}"
    if rules.is_absolute() or ".." in rules.parts:
        yield f"{PREFIX}RULES: with {PREFIX}RULES_REPOSITORY it is a path inside that repository"


def _refused_upstream(settings: Settings) -> Iterator[str]:
    dsn = settings.sentry_upstream.get_secret_value()
    if any(len(key) < SHORTEST for key in settings.secret_keys):
        yield f"{PREFIX}SECRET_KEY: each key has at least {SHORTEST} characters"
    if not dsn:
        return
    if not settings.secret_keys:
        yield f"{PREFIX}SECRET_KEY: {PREFIX}SENTRY_UPSTREAM needs one, to seal what waits"
    try:
        url = parse_dsn(dsn).url
    except ValueError as error:
        yield f"{PREFIX}SENTRY_UPSTREAM: {error}"
    else:
        if url.startswith(f"{settings.base_url}/"):
            yield f"{PREFIX}SENTRY_UPSTREAM: this is the service itself"


def _unknown(environ: Mapping[str, str]) -> Iterator[str]:
    known = [name for field in Settings.model_fields for name in names_of(field)]
    known += [f"{name}_FILE" for name in known]
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            yield f"{name} is no setting{did_you_mean(name, known)}"
