"""`$NAME` and `${NAME}` from the environment, `$file:/path` from a file, else as it is written."""

import re
from collections.abc import Mapping
from pathlib import Path

_WHOLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_INSIDE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_FILE = "$file:"


class UnsetError(Exception):
    """The secret is not there; the text names it, never its value."""


def is_reference(written: str) -> bool:
    """Whether nothing of the secret itself is spelled out."""
    return bool(
        written.startswith(_FILE) or _WHOLE.fullmatch(written) or _INSIDE.fullmatch(written)
    )


def resolve(written: str, environ: Mapping[str, str]) -> str:
    """Raises UnsetError."""
    if written.startswith(_FILE):
        return _read(written.removeprefix(_FILE))
    if whole := _WHOLE.fullmatch(written):
        return _value(whole[1], environ)
    return _INSIDE.sub(lambda inside: _value(inside[1], environ), written)


def _value(name: str, environ: Mapping[str, str]) -> str:
    if name.startswith("POINTSMAN_"):
        raise UnsetError(f"${name} is the service's own and goes to no channel")
    value = environ.get(name, "")
    if not value:
        raise UnsetError(f"${name} is not set")
    return value


def _read(path: str) -> str:
    if Path(path).exists() and not Path(path).is_file():  # reading a device would not end
        raise UnsetError(f"{path} is no regular file")
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnsetError(f"{path} cannot be read: {type(error).__name__}") from None
    if not value:
        raise UnsetError(f"{path} is empty")
    return value
