"""How PostgreSQL is connected to. Imported where the library is there.

A server that died is noticed in seconds. Nothing of a session outlives its transaction, so that a
proxy may pool by transactions: no prepared statements, no settings but SET LOCAL, no locks but
those of a transaction.
Spec: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

from typing import Any

from psycopg.adapt import Dumper
from sqlalchemy import URL, Engine, create_engine, event

_CONNECT = {
    "autocommit": True,  # BEGIN is ours to say
    "prepare_threshold": None,  # never
    "connect_timeout": 3,  # seconds
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
    "client_encoding": "utf8",
    "application_name": "pointsman",
}


def open_postgresql(where: URL) -> Engine:
    said = {name: value for name, value in _CONNECT.items() if name not in where.query}
    engine = create_engine(
        where, connect_args=said, hide_parameters=True, pool_pre_ping=True, pool_timeout=10
    )
    event.listen(engine, "connect", _on_connect)
    return engine


class _Text(Dumper):
    """A text holds no NUL there. Events have none; what is asked of the API may."""

    def dump(self, obj: str) -> bytes:
        return obj.replace("\0", "\ufffd").encode("utf-8", "replace")


def _on_connect(connection: Any, _record: Any) -> None:
    connection.adapters.register_dumper(str, _Text)
