import io
import sys

import httpx
import pytest

from routers.channels.log import Log, render
from routers.errors import TemporaryError
from tests.alerts import an_alert


def send(title: str) -> None:
    with httpx.Client() as client:
        Log().send(an_alert(title=title), client)


def test_an_alert_reads_at_a_glance(capsys: pytest.CaptureFixture[str]) -> None:
    send("KeyError: 'DE'")
    assert capsys.readouterr().out.splitlines() == [
        "ALERT payments · critical · first_seen",
        "  error        KeyError: 'DE'",
        "  at           server/app/billing/tax.py:88 in rate",
        "                   return RATES[country]",
        "  why          server/app/billing/tax.py:88 · path: /server/app/billing/ · rules.yaml:12",
        "  environment  production",
        "  release      2026.3.1",
        "  times seen   1,200",
        "  first seen   2026-03-01 12:00:00 UTC",
        "  last seen    2026-03-01 12:00:00 UTC",
        "  page         https://pointsman.example.com/groups/0123456789abcdef",
        "  delivery     0195-delivery",
        "",
    ]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\n\n"])
def test_an_exception_text_cannot_forge_an_alert(end: str) -> None:
    lines = render(an_alert(title=f"x{end}ALERT ceo · critical")).splitlines()
    assert [line for line in lines if line.startswith("ALERT")] == lines[:1]


def test_an_exception_text_cannot_command_a_terminal() -> None:
    text = render(an_alert(title="\x1b]0;owned\x07 \x9b2J \x08\x7f \u202e"))
    assert text.replace("\n", "").isprintable()


def test_a_long_text_is_cut() -> None:
    assert max(map(len, render(an_alert(title="x" * 200_000)).splitlines())) < 600


def test_a_console_without_the_characters_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(console, encoding="ascii"))
    send("Überlauf 👍")
    assert rb"\xdcberlauf \U0001f44d" in console.getvalue()


def test_a_closed_console_is_an_error_of_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    console = io.StringIO()
    console.close()
    monkeypatch.setattr(sys, "stdout", console)
    with pytest.raises(TemporaryError) as raised:
        send("x")
    assert raised.value.code == "console_closed"
