"""How long a group is ignored, as the form on its page has it."""

from collections.abc import Mapping
from datetime import datetime

from routers.group import Until
from service.acts import ActError
from service.silence_form import DURATIONS

TIMES = {f"{times} more times": times for times in (10, 100, 1000)}
ESCALATION = "the next escalation"
FOR_EVER = "for ever"
CHOICES = (*DURATIONS, *TIMES, ESCALATION, FOR_EVER)


def chosen(form: Mapping[str, str], now: datetime) -> Until:
    """Raises ActError."""
    choice = form.get("until", "")
    if choice not in CHOICES:
        raise ActError([("until", f"one of {', '.join(CHOICES)}")])
    length = DURATIONS.get(choice)
    return Until(
        moment=now + length if length else None,
        times=TIMES.get(choice),
        escalation=choice == ESCALATION,
    )
