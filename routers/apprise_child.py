"""Sends one notification by Apprise, in a process of its own: `python -m routers.apprise_child`.

Spec: https://github.com/caronc/apprise/wiki. A JSON object on stdin (routers/channels/apprise.py),
one on stdout: `{"said": "taken" | "failed" | "no_url" | "private", "status": 503 | null}`.

Apprise opens its own sockets, with whatever library a plugin likes. All of them go through
Python's, which tells of each connection before it is made: https://peps.python.org/pep-0578/.
So here every address is looked at when it is connected to, redirects and second look-ups too,
and no program is started.
"""

import ipaddress
import json
import logging
import os
import re
import sys
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from apprise import Apprise, AppriseAsset, NotifyFormat, OverflowMode
from apprise.manager_plugins import NotificationManager

from routers.network import is_public

_CONNECTING = ("socket.connect", "socket.sendto", "socket.sendmsg")
_STARTING = re.compile(r"subprocess\.|os\.(exec|fork|posix_spawn|spawn|system)|pty\.|syslog\.")
_STATUS = re.compile(r"error=([1-5]\d\d)\b")


class Guard:
    """An audit hook. It cannot be taken away again."""

    def __init__(self, *, allow_private: bool) -> None:
        self.allow_private = allow_private
        self.refused = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event in _CONNECTING and not self._may_reach(args[1]):
            self.refused = True
            raise PermissionError("the destination is not on the public internet")
        if _STARTING.match(event):
            raise PermissionError("a notification starts no program")

    def _may_reach(self, address: object) -> bool:
        """A name would be resolved behind our back; a path is a socket of this machine."""
        if address is None:  # of a socket that is connected: it was looked at then
            return True
        if not isinstance(address, tuple):
            return False
        try:
            ipaddress.ip_address(address[0])
        except ValueError:
            return False
        return self.allow_private or is_public(address[0])


class Statuses(logging.Handler):
    """Apprise says yes or no; the status behind a no it only logs."""

    def __init__(self) -> None:
        super().__init__()
        self.last: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        found = _STATUS.search(record.getMessage())
        self.last = int(found[1]) if found else self.last


def send(asked: dict[str, Any]) -> dict[str, Any]:
    NotificationManager().load_modules()  # type: ignore[no-untyped-call]  # before the guard stands: what loads may look around
    guard, statuses = Guard(allow_private=asked["allow_private"]), Statuses()
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [statuses], False
    sys.addaudithook(guard)
    asset = AppriseAsset(async_mode=False, http_redirects=False, secure_logging=True)
    plugin = Apprise.instantiate(asked["url"], asset=asset)
    if plugin is None:
        return {"said": "no_url", "status": None}
    plugin.retry, plugin.request_rate_per_sec = 0, 0  # both are ours
    plugin.redirects = False
    plugin.overflow_mode = OverflowMode(asked["overflow"])
    sender = Apprise(asset=asset)
    sender.add(plugin)
    taken = sender.notify(
        body=asked["body"],
        title=asked["title"],
        notify_type=asked["type"],
        body_format=NotifyFormat.TEXT,
    )
    said = "taken" if taken else "private" if guard.refused else "failed"
    return {"said": said, "status": statuses.last}


def main() -> None:
    with redirect_stdout(StringIO()):  # some plugins print
        said = send(json.load(sys.stdin))
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    os._exit(0)  # whatever a plugin's threads still do


if __name__ == "__main__":
    main()
