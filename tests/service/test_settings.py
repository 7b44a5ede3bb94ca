"""Settings: from the environment, strictly, with no secret in any text."""

from pathlib import Path

import pytest

from service.logs import report_own_errors
from service.settings import SettingsError
from service.settings_load import load_settings


def test_a_setting_comes_from_its_variable_its_bare_name_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    loaded = load_settings(
        {
            "PORT": "9000",
            "POINTSMAN_HOST": "::1",
            "HOST": "passed.over",
            "POINTSMAN_ADMIN_TOKEN_FILE": f"{tmp_path}/token",
        }
    )
    settings = loaded.settings
    assert (settings.port, settings.host) == (9000, "::1")
    assert settings.admin_token.get_secret_value() == "s3cret"
    assert settings.base_url == "http://[::1]:9000"
    assert loaded.sources["admin_token"] == "POINTSMAN_ADMIN_TOKEN_FILE"
    assert loaded.sources["rules"] == "default"
    assert "s3cret" not in repr(loaded)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"PORT": "many"}, "PORT: "),
        ({"POINTSMAN_PORT": "70000"}, "POINTSMAN_PORT: "),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: "),
        ({"POINTSMAN_INGEST_KEYS": "s3cret"}, "POINTSMAN_INGEST_KEYS: each member"),
        ({"POINTSMAN_DATABASE_URL": "s3cret"}, "POINTSMAN_DATABASE_URL: an unreadable URL"),
        ({"POINTSMAN_DATABASE_URL": "postgresql://u:p@ss:s3cret@h/d"}, "an unreadable URL"),
        ({"POINTSMAN_KEEP_EVENTS_DAYS": "99999999999"}, "POINTSMAN_KEEP_EVENTS_DAYS: "),
        ({"POINTSMAN_KEEP_AUDIT_DAYS": "3000000"}, "POINTSMAN_KEEP_AUDIT_DAYS: "),
        ({"POINTSMAN_DATABASE_URL": "mysql://u:s3cret@h/d"}, "mysql is not supported"),
        ({"POINTSMAN_DATABASE_URL": "sqlite://"}, "sqlite without a file is not supported"),
        ({"POINTSMAN_DATABASE_URL": "sqlite:///:memory:"}, "sqlite without a file"),
        ({"POINTSMAN_ADMIN_TOKEN_FILE": "/none"}, "POINTSMAN_ADMIN_TOKEN_FILE: /none cannot"),
    ],
)
def test_a_setting_that_cannot_be_is_named_without_its_value(
    environ: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_every_mistake_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"PORT": "x", "LOG_LEVEL": "x"})
    assert len(caught.value.problems) == 2


def test_an_unknown_variable_is_named_with_its_nearest() -> None:
    warnings = load_settings({"POINTSMAN_RULEZ": "x", "OTHER": "y"}).warnings
    assert warnings == ('POINTSMAN_RULEZ is no setting — did you mean "POINTSMAN_RULES"?',)


@pytest.mark.parametrize(
    "dsn", ["http://k@127.0.0.1:8000/1", "http://k@localhost:8000/1", "https://k@alerts.example/1"]
)
def test_own_errors_never_go_to_itself(dsn: str) -> None:
    environ = {"SENTRY_DSN": dsn, "POINTSMAN_PUBLIC_URL": "https://alerts.example/"}
    with pytest.raises(SettingsError, match="cannot report to itself"):
        report_own_errors(load_settings(environ).settings)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("h", False)],  # noqa: S104
)
def test_loopback_is_known(host: str, loopback: bool) -> None:
    assert load_settings({"HOST": host}).settings.on_loopback is loopback


def test_several_keys_may_open_one_project() -> None:
    loaded = load_settings({"POINTSMAN_INGEST_KEYS": "old:1, new:1, other:7"})
    assert loaded.settings.keys == {"old": "1", "new": "1", "other": "7"}


@pytest.mark.parametrize("one", ["*", "https://a.example", "https://*.a.example", "http://h:80/"])
def test_an_origin_is_a_scheme_and_a_host(one: str) -> None:
    assert load_settings({"POINTSMAN_ALLOWED_ORIGINS": one}).settings.allowed_origins == one


@pytest.mark.parametrize("one", ["a.example", "https://", "https://a/path", "https://*a.example"])
def test_what_is_no_origin_is_refused(one: str) -> None:
    with pytest.raises(SettingsError, match="ALLOWED_ORIGINS: each member"):
        load_settings({"POINTSMAN_ALLOWED_ORIGINS": one})
