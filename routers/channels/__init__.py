"""Every kind of destination, by the word the rules file has for it. A new one: a file, a line."""

from routers.channels.base import Channel
from routers.channels.email import Email
from routers.channels.log import Log
from routers.channels.slack import Slack
from routers.channels.webhook import Webhook

CHANNELS: dict[str, type[Channel]] = {
    "log": Log,
    "webhook": Webhook,
    "slack": Slack,
    "email": Email,
}
