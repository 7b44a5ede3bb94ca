"""Mail, as text and HTML, by any SMTP server.

Headers: RFC 5322, 2047 (not ASCII), 2919 (List-Id), 3834 (Auto-Submitted); Exchange's own
X-Auto-Response-Suppress. The Message-ID is the delivery's, so that what came twice is known by it.
All mails of a group have one subject and answer one mail that nobody ever sent: a thread, as of
https://www.rfc-editor.org/rfc/rfc5322#section-3.6.4 — but for those that tell of several groups.
"""

import quopri
import re
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime, formataddr
from html import escape
from typing import Annotated, ClassVar

import httpx
from pydantic import AfterValidator, Field, SecretStr, WithJsonSchema, model_validator

from matchers.kinds.base import LISTED
from routers.channels.base import Channel, Receipt
from routers.errors import DeliveryError, PermanentError, TemporaryError
from routers.http import guard_of
from routers.message import (
    also,
    body,
    facts,
    headline,
    is_one_group,
    links,
    one_line,
    place,
    plain,
    shorten,
    why_you,
)
from routers.notification import Alert, Severity
from routers.pace import Pace
from routers.smtp import Server, hand_over, server_of

RECIPIENTS_LIMIT = 20  # more are not served within one send; that is what a mailing list is for
SUBJECT_LIMIT = 150  # characters, here and below
TITLE_LIMIT = 1_000
FACT_LIMIT = 200
OTHERS = 15  # of what one mail tells besides
PLACE_LIMIT = 800
WHY_LIMIT = 500
FAILED_LIMIT = 1_000

# Not the other policies: they would read "=?utf-8?q?=0A?=" in a title as the line break it spells.
# Nothing is folded by it: what may be long is folded here, where it reads back the same.
POLICY = compat32.clone(linesep="\r\n", mangle_from_=False, max_line_length=None)
# No quotes and no line breaks in the name; the address in ASCII, without quotes or comments.
ADDRESS = re.compile(
    r"(?:(?P<name>[^<>\"\x00-\x1f\x7f\ud800-\udfff]{0,100})<)?"
    r"(?P<address>[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?P<domain>[A-Za-z0-9.-]{1,255}))(?(name)>)",
    re.ASCII,
)
COLOURS: dict[Severity, str] = {
    "critical": "#c62828",
    "error": "#d9480f",
    "warning": "#b7791f",
    "info": "#2563eb",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
</head><body style="margin:16px">
{body}
</body></html>
"""
_FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;"
_BOX = f"{_FONT}font-size:14px;line-height:1.5;max-width:640px;padding-left:16px;"
_H1 = "font-size:18px;line-height:1.3;margin:0 0 12px;overflow-wrap:anywhere"
_PRE = (
    "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;margin:0 0 12px;"
    "padding:10px 12px;border:1px solid #8888;border-radius:6px;"
    "white-space:pre-wrap;overflow-wrap:anywhere"
)
_P = "font-size:14px;margin:0 0 12px;overflow-wrap:anywhere;"
_LABEL = "padding:2px 16px 2px 0;vertical-align:top;white-space:nowrap;opacity:0.7"
_BUTTON = (
    "display:inline-block;padding:8px 14px;border-radius:6px;"
    "background:#1d4ed8;color:#ffffff;text-decoration:none"
)
_LINK = "display:inline-block;padding:8px 6px"


def _address(value: str) -> str:
    if not ADDRESS.fullmatch(value.strip()):
        raise ValueError("is no mail address: a@example.com, or Name <a@example.com>")
    return value.strip()


def _server(value: SecretStr) -> SecretStr:
    server_of(value.get_secret_value(), starttls=True)
    return value


Address = Annotated[str, AfterValidator(_address)]
_ADDRESS_SCHEMA = {"type": "string", "minLength": 1}
_ADDRESSES_SCHEMA = {
    "type": "array",
    "items": _ADDRESS_SCHEMA,
    "minItems": 1,
    "maxItems": RECIPIENTS_LIMIT,
}
Addresses = Annotated[
    list[Address],
    Field(min_length=1, max_length=RECIPIENTS_LIMIT),
    LISTED,
    WithJsonSchema({"anyOf": [_ADDRESS_SCHEMA, _ADDRESSES_SCHEMA]}),
]


class Email(Channel):
    """`email: {smtp: smtp://pointsman:s3cret@mail.example.com:587,
    from: Pointsman <pointsman@example.com>, to: [payments@example.com]}`
    """

    # nobody reads more; and a mail server is slow to forget who sent too many
    pace: ClassVar = Pace(per_second=0.1, burst=10)
    smtp: Annotated[SecretStr, AfterValidator(_server), Field(examples=["smtp://mail.example.com"])]
    from_: Annotated[Address, Field(alias="from", examples=["pointsman@example.com"])]
    to: Annotated[Addresses, Field(examples=["payments@example.com"])]
    starttls: bool = True  # false: a relay beside us that knows no TLS

    @model_validator(mode="after")
    def _sends_no_password_in_the_clear(self) -> "Email":
        server = self._server()
        if server.user and not (server.tls or server.starttls):
            raise ValueError("starttls: false would send the password in the clear")
        return self

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        message = letter(alert, self.from_, self.to)
        recipients = list(dict.fromkeys(_split(one)[1] for one in self.to))
        failed = hand_over(
            message.as_bytes(),
            self._server(),
            guard_of(client),
            sender=_split(self.from_)[1],
            recipients=recipients,
        )
        if len(failed) == len(recipients):
            raise _together(failed)
        return Receipt(external_id=message["Message-ID"], missed=_told(failed) or None)

    def _server(self) -> Server:
        return server_of(self.smtp.get_secret_value(), starttls=self.starttls)


def letter(alert: Alert, sender: str, to: list[str]) -> Message:
    """The same to every recipient."""
    told = alert.notification
    host = sender.rstrip(">").rpartition("@")[2]
    if alert.plain:
        message: Message = _part(plain(alert), "plain")
    else:
        message = MIMEMultipart("alternative", boundary=f"=_{alert.id}", policy=POLICY)
        message.attach(_part(text(alert), "plain"))
        message.attach(_part(html(alert), "html"))
    one = is_one_group(alert)  # a thread is a group's
    root = f"<{told.group}@{host}>"
    subject = _subject(alert) if one else headline(alert)
    headers = {
        "From": formataddr(_split(sender)),
        "To": ",\n ".join(formataddr(_split(one)) for one in to),
        "Subject": _encoded(shorten(subject, SUBJECT_LIMIT)),
        "Date": format_datetime(alert.sent_at),
        "Message-ID": f"<{alert.id}@{host}>",
        **({"In-Reply-To": root, "References": root} if one else {}),
        "List-Id": f"<{_label(told.team)}.pointsman.{host}>",
        "Auto-Submitted": "auto-generated",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "All",
    }
    for name, value in headers.items():
        message[name] = value
    return message


def text(alert: Alert) -> str:
    where = place(alert)
    built_in = (
        "\n    ".join(shorten(part, PLACE_LIMIT) for part in (where.text, where.line) if part),
        shorten(why_you(alert), WHY_LIMIT),
        "\n".join(
            f"{label + ':':<13} {shorten(value, FACT_LIMIT)}" for label, value in facts(alert)
        ),
    )
    parts = [
        shorten(headline(alert), TITLE_LIMIT),
        *((body(alert),) if body(alert) else built_in),
        "\n".join(f"{label}: {link}" for label, link in links(alert)),
        "\n".join(_others(alert)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def html(alert: Alert) -> str:
    """Styles stand at their elements: mail clients drop all others. The reader's own colours."""
    others = _others(alert)
    colour = COLOURS[alert.notification.severity]
    parts = (
        f'<h1 style="{_H1}">{escape(shorten(headline(alert), TITLE_LIMIT))}</h1>',
        *(_written(body(alert)) if body(alert) else _built_in(alert)),
        _linked(links(alert)),
        f'<pre style="{_PRE}">{"<br>".join(map(escape, others))}</pre>' if others else "",
    )
    shown = "\n".join(part for part in parts if part)
    return _PAGE.format(body=f'<div style="{_BOX}border-left:4px solid {colour}">\n{shown}\n</div>')


def _built_in(alert: Alert) -> tuple[str, ...]:
    where = place(alert)
    shown = [escape(shorten(part, PLACE_LIMIT)) for part in (where.text, where.line) if part]
    return (
        f'<pre style="{_PRE}">{"<br>    ".join(shown)}</pre>' if shown else "",
        f'<p style="{_P}">{escape(shorten(why_you(alert), WHY_LIMIT))}</p>',
        f'<table style="{_P}border-spacing:0">{"".join(map(_row, facts(alert)))}</table>',
    )


def _written(text: str) -> tuple[str]:
    return (f'<p style="{_P}white-space:pre-wrap">{escape(text)}</p>',)


def _linked(shown: list[tuple[str, str]]) -> str:
    """The first as a button."""
    looks = (_BUTTON, *(_LINK for _ in shown))
    anchors = (
        f'<a href="{escape(link)}" style="{look}">{label}</a>'
        for (label, link), look in zip(shown, looks, strict=False)
    )
    return f"<p>{' '.join(anchors)}</p>" if shown else ""


def _subject(alert: Alert) -> str:
    """The same for all mails of a group, unless a template says otherwise."""
    return one_line(alert.written.title) or one_line(alert.notification.title) or "(no title)"


def _row(fact: tuple[str, str]) -> str:
    label, value = fact
    shown = escape(shorten(value, FACT_LIMIT))
    return f'<tr><td style="{_LABEL}">{label}</td><td style="padding:2px 0">{shown}</td></tr>'


def _others(alert: Alert) -> list[str]:
    return [shorten(line, FACT_LIMIT) for line in also(alert, OTHERS)]


def _part(content: str, kind: str) -> Message:
    part = MIMENonMultipart("text", kind, policy=POLICY, charset="utf-8")
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(quopri.encodestring(content.encode()).decode("ascii"))
    return part


def _encoded(said: str) -> str:
    if said.isascii() and "=?" not in said:
        return said
    return Header(said, "utf-8", header_name="Subject").encode()


def _split(written: str) -> tuple[str, str]:
    """Name, "" when there is none, and address."""
    name, _, address = written.rpartition("<")
    return name.strip(), address.rstrip(">")


def _label(team: str | None) -> str:
    return re.sub("[^a-z0-9]+", "-", (team or "nobody").lower()[:60]).strip("-") or "team"


def _told(failed: dict[str, DeliveryError]) -> str:
    said = "; ".join(f"{recipient}: {error}" for recipient, error in failed.items())
    return shorten(said, FAILED_LIMIT)


def _together(failed: dict[str, DeliveryError]) -> DeliveryError:
    """What nobody was told for: to be tried again if that may help any of them."""
    errors = list(failed.values())
    if len(set(map(str, errors))) == 1:
        return errors[0]
    for error in errors:
        if isinstance(error, TemporaryError):
            return TemporaryError(error.code, _told(failed), pause=error.pause)
    return PermanentError(errors[0].code, _told(failed))
