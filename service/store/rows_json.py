"""Many rows in one parameter: on PostgreSQL a statement for each costs more than what it does.

Spec: https://www.postgresql.org/docs/current/functions-json.html#FUNCTIONS-JSON-PROCESSING-TABLE
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Dialect, LargeBinary, String, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.sql.expression import FromClause, Select

_VALUES = re.compile(r" VALUES \((?:%\(\w+\)s(?:::\w+)?(?:, )?)+\)")
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def from_json(insert: str, table: FromClause, names: Sequence[str], dialect: Dialect) -> str:
    """The same INSERT, of all rows in the parameter `rows`."""
    given, read = [], []
    for name in filter(table.c.__contains__, names):
        kind = table.c[name].type
        is_bytes = isinstance(kind, LargeBinary)
        given.append(f'"{name}" {"text" if is_bytes else kind.compile(dialect)}')
        read.append(f"decode(r.\"{name}\", 'base64')" if is_bytes else f'r."{name}"')
    rows = f"json_to_recordset(%(rows)s::json) AS r({', '.join(given)})"
    return _VALUES.sub(f" SELECT {', '.join(read)} FROM {rows}", insert, count=1)  # noqa: S608 names of ours


def listed() -> Select[Any]:
    """The texts in the parameter `values`."""
    return select(func.json_array_elements_text(cast(bindparam("values", type_=String), JSON)))


def as_json(values: Sequence[Any]) -> str:
    """A text holds no NUL there."""
    encoded = msgspec.json.encode(values)
    if b"\\u0000" in encoded:
        encoded = _NUL.sub(rb"\1\\ufffd", encoded)
    return encoded.decode()
