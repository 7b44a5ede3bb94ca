"""Against a real mail server, which refuses, hangs or leaves as a test wants it to."""

import re
import time
from base64 import b64encode
from datetime import timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import ValidationError

from routers.channels.base import Receipt
from routers.channels.email import Email, html, letter
from routers.errors import DeliveryError, PermanentError, TemporaryError
from tests.alerts import OWNERSHIP, an_alert
from tests.routers.mail import HOST, PASSWORD, USER, MailServer, a_client, a_mail_server, read
from tests.routers.peers import CERTIFICATE, Talk, a_free_port, a_peer, in_tls

THREE = ["a@example.com", "b@example.com", "c@example.com"]
SHORT = timedelta(seconds=0.5)
HUGE = "KeyError: " + "x" * 200_000
ATTACKS = [
    "<!channel> @everyone *boom* |x>",
    "boom\r\nBcc: x@y.example\r\n\r\nbody",
    "boom\nBcc: x@y.example",
    "boom\u2028Bcc: x@y.example\x85Bcc: z@y.example",
    "=?utf-8?q?boom=0D=0ABcc=3A_x=40y.example?=",
    "\r\n.\r\nMAIL FROM:<x@y.example>",
    "</pre><script>alert(1)</script><img src=https://evil.test/x onerror=alert(1)>",
]


def a_relay(port: int) -> Email:
    given = {"smtp": f"smtp://{HOST}:{port}", "from": "bot@example.com", "to": "a@example.com"}
    return Email.model_validate({**given, "starttls": False})


def sent(server: MailServer, *, client: dict[str, Any] | None = None, **settings: Any) -> Receipt:
    with a_client(**(client or {})) as made:
        return server.channel(**settings).send(an_alert(), made)


def refused(server: MailServer, **settings: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        sent(server, **settings)
    shown = f"{raised.value} {raised.value!r}"
    assert not [one for one in (PASSWORD, server.url(), HOST) if one in shown]
    return raised.value


def a_mail(**over: Any) -> EmailMessage:
    return read(letter(an_alert(**over), "Pointsman <bot@example.com>", THREE[:1]).as_bytes())


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    text: str = body.get_content()
    return text


def everywhere(text: str) -> dict[str, Any]:
    frame = {"path": text, "function": text, "lineno": text}
    named = dict.fromkeys(("title", "team", "culprit", "why", "environment", "release"), text)
    return {**named, "permalink": text, "ownership": {"frame": frame}}


@pytest.mark.parametrize(("tls", "scheme"), [("starttls", "smtp"), ("implicit", "smtps")])
def test_a_mail_goes_over_tls_and_with_a_login(tls: str, scheme: str) -> None:
    with a_mail_server(tls) as server:
        receipt = sent(server, smtp=server.url(scheme))
    assert receipt == Receipt(external_id="<0195-delivery@example.com>")
    assert (server.told, server.logins) == (["a@example.com"], 1)


def test_a_relay_beside_us_may_go_without() -> None:
    with a_mail_server("none") as server:
        sent(server, smtp=server.url(login=""), starttls=False)
    assert (server.told, server.logins) == (["a@example.com"], 0)


def test_a_server_that_offers_no_tls_is_told_nothing() -> None:
    with a_mail_server("none") as server:
        error = refused(server)
    assert (error.code, server.logins, server.taken) == ("not_offered", 0, [])


def test_a_certificate_of_another_name_is_told_nothing() -> None:
    with a_mail_server() as server:
        error = refused(server, smtp=server.url().replace(HOST, "other.test"))
    assert (error.code, server.logins) == ("tls", 0)


def test_a_private_server_is_refused_unless_it_is_allowed() -> None:
    with a_mail_server() as server:
        error = refused(server, client={"allow_private": False})
    assert (error.code, server.taken) == ("private_destination", [])


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        ("421 closing", TemporaryError, "deferred"),
        ("450 mailbox busy", TemporaryError, "deferred"),
        ("452 full", TemporaryError, "deferred"),
        ("550 no such user", PermanentError, "rejected"),
        ("554 spam", PermanentError, "rejected"),
    ],
)
@pytest.mark.parametrize("where", ["recipient", "data"])
def test_a_reply_is_judged_by_its_first_digit(
    reply: str, kind: type[DeliveryError], code: str, where: str
) -> None:
    with a_mail_server() as server:
        if where == "data":
            server.after_data = reply
        else:
            server.refused = {"a@example.com": reply}
        error = refused(server)
    assert (type(error), error.code, server.taken) == (kind, code, [])
    assert str(error) == f"answered {reply.replace(' ', ': ', 1)}"


def test_a_server_that_closes_shop_is_left_in_peace() -> None:
    with a_mail_server() as server:
        server.refused = {"a@example.com": "421 too many"}
        error = refused(server)
    assert isinstance(error, TemporaryError)
    assert error.pause


def test_one_bad_address_fails_none_of_the_others() -> None:
    with a_mail_server() as server:
        server.refused = {"b@example.com": "550 no such user"}
        receipt = sent(server, to=THREE)
    assert server.told == ["a@example.com", "c@example.com"]
    assert receipt.missed == "b@example.com: answered 550: no such user"


def test_a_connection_that_breaks_fails_none_of_the_others() -> None:
    with a_mail_server() as server:
        server.refused = {"b@example.com": "421 closing"}
        receipt = sent(server, to=THREE)
    assert server.told == ["a@example.com", "c@example.com"]
    assert receipt.missed == "b@example.com: answered 421: closing"


def test_every_recipient_gets_the_same_mail() -> None:
    with a_mail_server() as server:
        sent(server, to=THREE)
    assert server.told == THREE
    assert (len(server.taken), len(set(server.taken))) == (3, 1)


def test_what_nobody_took_is_tried_again_when_that_may_help() -> None:
    with a_mail_server() as server:
        server.refused = {"a@example.com": "550 no such user", "b@example.com": "451 later"}
        error = refused(server, to=THREE[:2])
    assert type(error) is TemporaryError
    assert str(error) == (
        "a@example.com: answered 550: no such user; b@example.com: answered 451: later"
    )


def test_an_address_that_stands_there_twice_is_told_once() -> None:
    with a_mail_server() as server:
        server.refused = {"b@example.com": "550 no such user"}
        assert refused(server, to=["b@example.com", "B <b@example.com>"]).code == "rejected"
        sent(server, to=["a@example.com", "A <a@example.com>"])
    assert server.told == ["a@example.com"]


def test_a_wrong_password_is_not_tried_for_every_recipient() -> None:
    with a_mail_server() as server:
        error = refused(server, smtp=server.url(login=f"{USER}:wrong-Passw0rd@"), to=THREE)
    assert (type(error), error.code) == (PermanentError, "unauthorized")
    assert server.logins == 2  # by PLAIN and by LOGIN


@pytest.mark.parametrize(
    ("reply", "kind"),
    [("454 4.7.0 later", TemporaryError), (f"535 5.7.8 {USER} {PASSWORD} no", PermanentError)],
)
def test_what_is_said_to_a_login_is_judged_and_masked(
    reply: str, kind: type[DeliveryError]
) -> None:
    with a_mail_server() as server:
        server.login = reply
        error = refused(server)
    assert (type(error), PASSWORD in str(error)) == (kind, False)


def test_an_answer_that_echoes_everything_tells_no_secret() -> None:
    login = b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    with a_mail_server() as server:
        server.refused = {"a@example.com": f"550 {server.url()} {HOST} {PASSWORD} {login} no"}
        said = str(refused(server))
    assert login not in said
    assert said.endswith("no")


def test_a_mail_is_told_only_when_the_last_reply_says_so() -> None:
    with a_mail_server() as server:
        server.after_data = "close"
        error = refused(server)
    assert (type(error), error.code) == (TemporaryError, "connection_lost")


def test_a_server_that_hangs_is_cut_off_once_for_all_recipients() -> None:
    begun = time.monotonic()
    with a_mail_server() as server:
        server.after_data = "hang"
        error = refused(server, client={"limit": SHORT}, to=[f"{n}@example.com" for n in range(9)])
        assert time.monotonic() - begun < 2
    assert (type(error), error.code) == (TemporaryError, "timeout")


def saying(*replies: bytes, every: float = 0) -> Talk:
    """To each line the next reply; the last again and again."""

    def talk(connection: Any) -> None:
        connection.sendall(replies[0])
        for at in range(1, 99):
            time.sleep(every)
            if not every and not connection.recv(65_536):
                return
            connection.sendall(replies[min(at, len(replies) - 1)])

    return talk


@pytest.mark.parametrize(
    ("talk", "kind", "code"),
    [
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), PermanentError, "unexpected_answer"),
        (saying(b"421 busy\r\n"), TemporaryError, "deferred"),
        (saying(b"554 no service\r\n"), PermanentError, "rejected"),
        (saying(b"220-x\r\n" * 99_999), PermanentError, "unexpected_answer"),
        (saying(b"220 " + b"x" * 99_999), PermanentError, "rejected"),
        (saying(b"220 hi\r\n", b"250 hi\r\n", b"503 no\r\n"), PermanentError, "rejected"),
        (saying(b"2", b"2", every=0.05), TemporaryError, "timeout"),
        (lambda connection: None, TemporaryError, "connection_lost"),
    ],
    ids=["http", "busy", "closed", "endless", "long", "refusing", "dripping", "silent"],
)
def test_whatever_answers_is_a_typed_error(
    talk: Talk, kind: type[DeliveryError], code: str
) -> None:
    with (
        a_peer(talk) as port,
        a_client(limit=SHORT) as client,
        pytest.raises(DeliveryError) as raised,
    ):
        a_relay(port).send(an_alert(), client)
    assert (type(raised.value), raised.value.code) == (kind, code)


def test_a_challenge_that_is_no_base64_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    talk = in_tls(saying(b"220 hi\r\n", b"250-hi\r\n250 AUTH LOGIN\r\n", b"334 abcde\r\n"))
    with a_peer(talk) as port, a_client() as client, pytest.raises(PermanentError) as raised:
        MailServer([]).channel(smtp=f"smtps://u:pw@hooks.test:{port}").send(an_alert(), client)
    assert raised.value.code == "unexpected_answer"


def test_a_server_that_is_not_there_is_asked_again() -> None:
    with a_client() as client, pytest.raises(TemporaryError) as raised:
        a_relay(a_free_port()).send(an_alert(), client)
    assert raised.value.code == "refused"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"smtp": "https://hush.example.com"}, "is not smtp://"),
        ({"smtp": "smtp://u:hu#sh@mail.example.com"}, "is not smtp://"),
        ({"smtp": "smtp://u:p@mail.example.com/hush"}, "is not smtp://"),
        ({"smtp": "smtp://mail.example.com:70000"}, "is not smtp://"),
        ({"smtp": "smtp://hush@mail.example.com"}, "without a password"),
        ({"smtp": "smtp://u:h%C3%BCsh@mail.example.com"}, "not ASCII"),
        ({"smtp": "smtp://u:hush@mail.example.com", "starttls": False}, "in the clear"),
        ({"from": "Pointsman"}, "no mail address"),
        ({"from": "a@b.example\r\nBcc: x@y.example"}, "no mail address"),
        ({"to": "a@b.example> SIZE=1"}, "no mail address"),
        ({"to": ['"a b"@b.example']}, "no mail address"),
        ({"to": []}, "at least 1"),
        ({"to": [f"{n}@b.example" for n in range(21)]}, "at most 20"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_unquoted(setting: dict[str, Any], said: str) -> None:
    settings = {"smtp": "smtp://mail.example.com", "from": "a@b.example", "to": "a@b.example"}
    with pytest.raises(ValidationError, match=said) as raised:
        Email(**{**settings, **setting})
    assert "hush" not in str(raised.value)


def test_a_percent_encoded_password_is_decoded() -> None:
    with a_mail_server() as server:
        encoded = "".join(f"%{ord(char):02X}" for char in PASSWORD)
        sent(server, smtp=server.url(login=f"{USER}:{encoded}@"))
    assert server.logins == 1


def test_the_facts_stand_in_text_and_in_html() -> None:
    mail = a_mail()
    for kind in ("plain", "html"):
        shown = part(mail, kind)
        told = ["KeyError", "payments", "critical", "production", "2026.3.1", "1,200"]
        told += ["server/app/billing/tax.py:88 in rate", "return RATES[country]", "rules.yaml:12"]
        told += ["2026-03-01 12:00:00 UTC", "https://pointsman.example.com/groups/0123456789abcdef"]
        assert [one for one in told if one not in shown] == []


def test_a_machine_says_that_it_is_one() -> None:
    mail = a_mail()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Precedence"] == "bulk"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["List-Id"] == "<payments.pointsman.example.com>"
    assert mail["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"


def test_a_group_is_one_thread() -> None:
    first, second = a_mail(), a_mail(id="0196-other", reason="regression", times_seen=9)
    for name in ("Subject", "References", "In-Reply-To"):
        assert first[name] == second[name]
    assert first["References"] == "<0123456789abcdef@example.com>"
    assert first["Message-ID"] != second["Message-ID"]


def test_a_retry_is_the_same_mail() -> None:
    assert a_mail().as_bytes() == a_mail().as_bytes()
    assert a_mail(plain=True)["Message-ID"] == a_mail()["Message-ID"]


def test_plain_is_short_text_only() -> None:
    mail = a_mail(plain=True, title=HUGE)
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().startswith("New error: KeyError: xxx")
    assert len(mail.as_bytes()) < 3_000


@pytest.mark.parametrize(
    "title", ["KeyError: 'ü' 👩\u200d🚒", "=?utf-8?q?x?=", "long " * 29, "x" * 150, "ü" * 150]
)
def test_a_subject_reads_as_it_was_written(title: str) -> None:
    assert a_mail(title=title)["Subject"] == title.strip()


def test_names_may_be_written_in_any_script() -> None:
    many = [f"{'ü' * 100} <{n}@{'example.' * 25}com>" for n in range(20)]
    content = letter(an_alert(), "Pöintsman, Bot <b@example.com>", many).as_bytes()
    (sender,) = read(content)["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Pöintsman, Bot", "b@example.com")
    assert [one.display_name for one in read(content)["To"].addresses] == ["ü" * 100] * 20
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("attack", [*ATTACKS, HUGE, "\r\n" * 9_999, "&<>\"'" * 9_999, "\ud800\0"])
def test_no_text_adds_a_header_or_a_part(attack: str) -> None:
    mail = a_mail(**everywhere(attack))
    assert sorted(mail.keys()) == sorted(a_mail().keys())
    assert [one.get_content_type() for one in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    content = letter(an_alert(**everywhere(attack)), "b@example.com", THREE).as_bytes()
    assert content.isascii()
    assert len(content) < 60_000
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag + "".join(f" {name}" for name, _ in attrs))


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_adds_an_element(attack: str) -> None:
    ours, theirs = Tags(), Tags()
    frame = {"frame": {**OWNERSHIP["frame"], "function": None, "lineno": None}}
    ours.feed(html(an_alert(ownership=frame)))
    hostile = everywhere(attack) | {"permalink": "https://p.example/groups/1?a='&b"}
    theirs.feed(html(an_alert(**hostile)))
    assert theirs.seen == ours.seen


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_server_takes_was_told_to_nobody_else(attack: str) -> None:
    with a_mail_server("none") as server, a_client() as client:
        channel = server.channel(smtp=server.url(login=""), starttls=False)
        channel.send(an_alert(**everywhere(attack)), client)
    assert server.told == ["a@example.com"]
    assert len(server.taken) == 1
