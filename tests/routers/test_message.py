from datetime import timedelta
from typing import Any

import msgspec
import pytest

from routers.message import (
    facts,
    fit,
    headline,
    many_lines,
    one_line,
    permalink,
    place,
    plain,
    shorten,
)
from tests.alerts import EVENT, NOTIFICATION, NOW, OWNERSHIP, an_alert, crowd

HUGE = "x" * 200_000
ODD = ["", "\0", "\x1b[31mred\x1b[0m", "👩\u200d🚒", "\ud800", "a\r\nb", HUGE, "&<>|`*_"]


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("abcd", 1, "…"),
        ("abcd", 0, ""),
        ("abcd", -1, ""),
        ("", 0, ""),
        ("👍👍👍", 2, "👍…"),
    ],
)
def test_a_shortened_text_is_never_longer_than_its_limit(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("abc", 3, "abc"),
        ("éé", 4, "éé"),
        ("ééé", 5, "é…"),
        ("aaaé", 4, "a…"),
        ("👍👍", 7, "👍…"),
        ("👍👍", 6, "…"),
        ("abcd", 2, ""),
        ("", 0, ""),
        ("é" * 200_000, 9, "ééé…"),
    ],
)
def test_a_text_fits_as_it_is_measured(text: str, limit: int, short: str) -> None:
    assert fit(text, limit, lambda part: len(part.encode())) == short


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (None, ""),
        (" a\n\tb\r\nc ", "a b c"),
        ("\x1b[2J\0\x9b", r"\x1b[2J\x00\x9b"),
        ("abc\u202etxt.exe", r"abc\u202etxt.exe"),
        ("\ud800", r"\ud800"),
        ("👩\u200d🚒 é", "👩\u200d🚒 é"),
        ("\u2028ALERT\x85x", "ALERT x"),
    ],
)
def test_one_line_hides_nothing_and_breaks_nothing(text: str | None, line: str) -> None:
    assert one_line(text) == line


def test_the_warning_of_a_silence_is_not_called_a_digest() -> None:
    said = "A silence ends in 14 min and still hides KeyError: 'DE'"
    assert headline(an_alert(reason="digest", title=said)) == said


def test_a_message_of_many_says_since_when_the_first_of_them_waited() -> None:
    early = msgspec.structs.replace(NOTIFICATION, last_seen=NOW - timedelta(minutes=7))
    alert = an_alert(others=(*crowd("KeyError", 3), early))
    assert dict(facts(alert))["Alerts since"] == "2026-03-01 11:53:00 UTC"
    assert "Alerts since" not in dict(facts(an_alert()))


def test_many_lines_keep_their_indentation() -> None:
    assert many_lines("a  \r\n  b\x00\n\n") == "a\n  b\\x00"


def test_the_plain_text_is_short_and_whole() -> None:
    assert plain(an_alert()).splitlines() == [
        "New error: KeyError: 'DE'",
        "payments · critical · production",
        "server/app/billing/tax.py:88 in rate",
        "https://pointsman.example.com/groups/0123456789abcdef",
    ]


def test_facts_that_are_not_known_are_left_out() -> None:
    labels = [label for label, _ in facts(an_alert(release=None, environment=""))]
    assert labels == ["Team", "Severity", "Times seen", "Reason", "First seen", "Last seen"]


def test_what_nobody_owns_says_so() -> None:
    assert dict(facts(an_alert(team=None)))["Team"] == "nobody"


def test_the_deciding_frame_brings_its_source_line() -> None:
    assert place(an_alert()).line == "return RATES[country]"


def _decided(**over: Any) -> dict[str, Any]:
    return OWNERSHIP | {"frame": OWNERSHIP["frame"] | over}


@pytest.mark.parametrize(
    "over",
    [
        {"event": None},
        {"event": msgspec.structs.replace(EVENT, exceptions=())},
        {"ownership": _decided(lineno=89)},
        {"ownership": _decided(function="other")},
        {"ownership": _decided(path="other/tax.py")},
        {"ownership": {}},
    ],
)
def test_a_source_line_of_another_frame_is_never_shown(over: dict[str, Any]) -> None:
    assert place(an_alert(**over)).line == ""


@pytest.mark.parametrize("ownership", [{}, {"frame": None}, {"frame": {}}, {"frame": "?"}])
def test_without_a_deciding_frame_the_culprit_is_the_place(ownership: dict[str, Any]) -> None:
    assert place(an_alert(ownership=ownership)).text == "server/app/billing/tax.py in rate"


@pytest.mark.parametrize("link", ["", "javascript:alert(1)", "https://a b", f"https://{HUGE}"])
def test_a_permalink_is_a_whole_link_or_none(link: str) -> None:
    assert permalink(an_alert(permalink=link)) == ""


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd[:12]))
def test_odd_values_are_told_on_one_line_each(odd: str) -> None:
    alert = an_alert(title=odd, team=odd, environment=odd, release=odd, culprit=odd, permalink=odd)
    for text in (headline(alert), *(value for _, value in facts(alert)), place(alert).text):
        assert len(text.splitlines()) == 1
    assert len(plain(alert)) < 2_000
