"""Which of two releases is newer, by their names.

Spec: https://semver.org/#spec-item-11, and https://peps.python.org/pep-0440/ where a name is one
of its forms (1.0rc1, 1.0.dev1, 1.0.post1), but for epochs. Sentry's package@version is read so,
and two packages are not compared. A lone number is as likely a commit. Cases:
tests/data/releases.yaml.
"""

import re
from typing import Any

_VERSION = re.compile(
    r"v?(?P<numbers>\d{1,18}(?:\.\d{1,18}){1,9})(?P<stage>(?:[._-]?[a-z]|-)[a-z0-9._-]{0,100})?"
    r"(?:\+[a-z0-9._-]{0,100})?",
    re.ASCII,
)
_PART = re.compile(r"\d{1,18}|[a-z]+")
_AFTER = {"post", "rev", "r"}
_STAGES = {"dev": "", "a": "alpha", "b": "beta", "c": "rc", "pre": "rc", "preview": "rc"}
_FINAL = ((2,),)  # above all that comes before a final release


def is_newer(release: str, than: str) -> bool | None:
    """None: their names do not say."""
    package, version = _split(release)
    other_package, other = _split(than)
    mine, theirs = _key(version), _key(other)
    if package != other_package or mine is None or theirs is None:
        return None
    return bool(mine > theirs)


def _split(release: str) -> tuple[str, str]:
    package, _at, version = release.rpartition("@")
    return package, version


def _key(version: str) -> tuple[Any, ...] | None:
    """What versions are ordered by; None: it is none."""
    found = _VERSION.fullmatch(version.lower())
    if found is None:
        return None
    numbers = [int(number) for number in found["numbers"].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers), _stage(_PART.findall(found["stage"] or ""))


def _stage(parts: list[str]) -> tuple[Any, ...]:
    if not parts:
        return _FINAL
    ranked = [
        (0, int(part), "") if part.isdigit() else (1, 0, _STAGES.get(part, part)) for part in parts
    ]
    return (*_FINAL, *ranked[1:]) if parts[0] in _AFTER else tuple(ranked)
