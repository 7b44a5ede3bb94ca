"""Every kind of destination, by the word the rules file has for it. A new one: a file, a line."""

from routers.channels.alertmanager import Alertmanager
from routers.channels.apprise import AppriseChannel
from routers.channels.base import Channel
from routers.channels.discord import Discord
from routers.channels.email import Email
from routers.channels.incident_io import IncidentIo
from routers.channels.log import Log
from routers.channels.msteams import MSTeams
from routers.channels.opsgenie import Opsgenie
from routers.channels.pagerduty import PagerDuty
from routers.channels.slack import Slack
from routers.channels.webhook import Webhook

CHANNELS: dict[str, type[Channel]] = {
    "log": Log,
    "webhook": Webhook,
    "slack": Slack,
    "discord": Discord,
    "msteams": MSTeams,
    "pagerduty": PagerDuty,
    "opsgenie": Opsgenie,
    "incident_io": IncidentIo,
    "alertmanager": Alertmanager,
    "email": Email,
    "apprise": AppriseChannel,
}
