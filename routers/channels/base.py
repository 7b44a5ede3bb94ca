"""What a channel is: settings as fields, and `send`. Nothing else.

A channel may not retry, log, read the clock or touch the store: it posts one alert and returns
a Receipt, or raises a DeliveryError. What it posts names the alert, in a field of the vendor's or
by `routers.message.marker`, since it may be told twice. The examples in a class's docstring are
the settings that the contract tests build it from and that docs/channels.md shows.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import httpx
import msgspec
from pydantic import BaseModel, ConfigDict

from routers.notification import Alert, Thread
from routers.pace import Pace


class Receipt(msgspec.Struct, frozen=True):
    external_id: str | None = None  # the destination's own name for the message; None: it gave none
    missed: str | None = None  # which of several recipients were not told, and why
    thread: Thread | None = None  # what the group's next alert here is to be handed
    unworded: str | None = None  # why the channel's template was not used


class Channel(BaseModel, ABC):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)
    pace: ClassVar[Pace | None] = None  # what the vendor takes; None: as fast as it answers
    # whether what would be too fast may become one message: not where each opens an incident
    merges: ClassVar[bool] = True
    # whether what it is told opens incidents, and a notification that `closes` ends them
    closes: ClassVar[bool] = False
    needs: ClassVar[str | None] = None  # a package of an extra of the same name

    @abstractmethod
    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        """Tell it. Raises DeliveryError."""

    def revise(self, alert: Alert, client: httpx.Client) -> Thread | None:
        """Have the message `alert.thread` say what is now so. None: there is none to change.

        Raises DeliveryError.
        """
        return None


def examples(kind: type[Channel]) -> list[str]:
    """The settings in the class docstring, as the YAML that a user would write: of each form."""
    return (kind.__doc__ or "").split("`")[1::2]
