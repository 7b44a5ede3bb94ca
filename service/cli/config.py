"""`pointsman config`: the settings in force, and where each came from."""

import os

from pydantic import SecretStr

from service.cli.base import AsJson, answer_json, misuse, talk
from service.settings import SettingsError
from service.settings_load import load_settings


def config(as_json: AsJson = False) -> None:
    """The settings in force, and where each came from. Secrets are masked."""
    try:
        loaded = load_settings(os.environ)
    except SettingsError as error:
        misuse(str(error))
    for warning in loaded.warnings:
        talk.print(warning, markup=False)
    rows = {field: _shown(value) for field, value in loaded.settings}
    if as_json:
        answer_json(
            {field: {"value": rows[field], "from": loaded.sources[field]} for field in rows}
        )
        return
    width = max(map(len, rows))
    for field, value in rows.items():
        print(f"{field:<{width}}  {value}  ({loaded.sources[field]})")


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "**********" if value.get_secret_value() else ""
    return "" if value is None else str(value)
