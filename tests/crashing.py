"""The real service, that dies at one chosen moment: `python -m tests.crashing MOMENT`.

What kills it is given to it, or listens to it from outside: a network for its channels, a trace of
its database connection, an ASGI layer around its app, a log handler. It knows of none of them.
"""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any

import httpx
import uvicorn
from sqlalchemy import Engine, event

from service.app import create_app
from service.logs import configure_logs
from service.runtime import Runtime
from service.settings_load import load_settings

DIED = 99  # the exit code
MOMENTS = ("before_commit", "before_answer", "after_claim", "after_send", "before_delete")


def die() -> None:
    os._exit(DIED)  # as kill -9 does: nothing is flushed, nobody says goodbye


class Network(httpx.HTTPTransport):
    def __init__(self, moment: str) -> None:
        super().__init__(trust_env=False)
        self._moment = moment

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._moment == "after_claim":
            die()
        answer = super().handle_request(request)
        answer.read()
        if self._moment == "after_send":
            die()
        return answer


def die_before_a_commit_of_an_event(engine: Engine) -> None:
    def traced(connection: Any, _record: Any) -> None:
        said: list[str] = []

        def hear(statement: str) -> None:
            said.append(statement.upper())
            if said[-1] == "COMMIT" and any("INTO EVENT_IDS" in one for one in said):
                die()
            if said[-1].startswith("BEGIN"):
                said.clear()

        connection.set_trace_callback(hear)

    event.listen(engine, "connect", traced)


class DeadOnAnswer:
    """An ASGI layer: whatever is posted is handled, and never answered."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def answer(message: Any) -> None:
            if scope.get("method") == "POST":
                die()
            await send(message)

        await self._app(scope, receive, answer)


class DeadOnWord(logging.Handler):
    def __init__(self, word: str) -> None:
        super().__init__()
        self._word = word

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == self._word:
            die()


def main(moment: str) -> None:
    settings = load_settings(dict(os.environ)).settings
    configure_logs(settings.log_level)
    runtime = Runtime(settings, client=httpx.Client(transport=Network(moment)))
    app: Callable[..., Any] = create_app(runtime)
    if moment == "before_commit":
        die_before_a_commit_of_an_event(runtime.engine)
    if moment == "before_answer":
        app = DeadOnAnswer(app)
    if moment == "before_delete":  # "drained" is said between the commit and the deletion
        logging.getLogger("service.drain").addHandler(DeadOnWord("drained"))
    uvicorn.run(app, host=settings.host, port=settings.port, log_config=None, access_log=False)


if __name__ == "__main__":
    main(sys.argv[1])
