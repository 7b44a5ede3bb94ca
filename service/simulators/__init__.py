"""Vendors' servers as far as an alert meets them: their real limits, their real answers.

Each is handed a clock and answers requests, as httpx.MockTransport asks of a handler.
"""

from collections.abc import Callable
from datetime import datetime

import httpx

from service.simulators.alertmanager import Alertmanager
from service.simulators.incident_io import IncidentIo
from service.simulators.opsgenie import Opsgenie
from service.simulators.pagerduty import PagerDuty
from service.simulators.slack import Slack

Clock = Callable[[], datetime]
Handler = Callable[[httpx.Request], httpx.Response]

SIMULATORS: dict[str, Callable[[Clock], Handler]] = {
    "pagerduty": PagerDuty,
    "opsgenie": Opsgenie,
    "incident_io": IncidentIo,
    "alertmanager": Alertmanager,
    "slack": Slack,
}
