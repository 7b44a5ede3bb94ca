"""What is masked in free text. The cases were written by hand: tests/data/scrub.yaml."""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from service.scrub import is_secret, scrub, scrub_code

CASES = yaml.safe_load((Path(__file__).parent.parent / "data/scrub.yaml").read_text())


def whole(text: str) -> str:
    """Key formats are cut by a `+` in the file."""
    for start in ("AKIA", "ghp", "github", "xox", "sk", "AIza", "glpat", "SG", "eyJ"):
        text = text.replace(f"{start}+", start)
    return text


@pytest.mark.parametrize("case", CASES["masked"], ids=lambda case: case["becomes"])
def test_what_is_private_is_masked_and_the_rest_stays(case: dict[str, str]) -> None:
    assert scrub(whole(case["text"])) == case["becomes"]


@pytest.mark.parametrize("text", CASES["kept"])
def test_what_an_engineer_needs_stays_readable(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize("case", CASES["code"], ids=lambda case: case["text"])
def test_of_a_line_of_source_literals_are_masked(case: dict[str, str]) -> None:
    assert scrub_code(case["text"]) == (case["becomes"] or case["text"])


def test_some_names_are_of_secrets_whatever_their_values_look_like() -> None:
    names = ["extra.password", "request.headers.X-Api-Key", "request.cookies.sessionid"]
    plain = ["extra.order_id", "user.id", "extra.token_count", "request.cookies.theme"]
    assert [is_secret(name) for name in (*names, *plain)] == [True] * 3 + [False] * 4


# Pieces that patterns begin, go on and end with, so that generated texts come near all of them.
PIECES = st.sampled_from(
    [
        *("password", "token", "Cookie", "authorization", "bearer ", "basic ", "api_key", "auth"),
        *("=", ":", "=>", '"', "'", "\\", "(", ")", "[", "]", "[masked]", "[masked: e-mail]"),
        *("a@b.de", "@", "%40", ".", "://", "@tcp(", "/", "-", " ", "\n", ",", ";", "&", "a", "9"),
        *("4111111111111111", "4111 1111", " 1111 1111", "eyJabcdefgh", "ghp_", "A" * 20, "é"),
        *("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "\ud800", "\0"),
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=25).map("".join))


@given(TEXTS)
def test_masked_text_stays_as_it_is(text: str) -> None:
    once = scrub(text)
    assert scrub(once) == once


@given(TEXTS)
def test_a_masked_text_is_bounded(text: str) -> None:
    assert len(scrub(text)) <= 5 * len(text)
    assert len(scrub_code(text)) <= 5 * len(text)


HOSTILE = [
    *(
        "4",
        "41 ",
        "4111 ",
        "a@",
        "a@1.",
        "@",
        "a%40",
        "a.",
        "://",
        "://a",
        "://a@",
        "a:a:",
        "@tcp(",
    ),
    *("password=", "password:", "token ", "token\t", 'password="', "password='\\", 'password=\\"'),
    *("auth:", "key", "token=token=a", "cookie:", "bearer ", "basic a", "basic aaaaaaaa", "sk-a"),
    *("eyJ", "eyJaaaaaa.", "SG.aaaaaaaaaaaaaaaa", "gh", "ghp_a", "-----BEGIN ", "password=["),
    *("-----BEGIN PRIVATE KEY-----", "(", "[masked: ", "password=[masked: ", "11111111-1111-"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_costs_linear_time(piece: str) -> None:
    hint = " " * 500 + "password=x @tcp( private key bearer eyj "  # so that every pattern is asked

    def seconds(length: int) -> float:
        text = hint + (piece * length)[:length] + "!"
        started = time.process_time()
        for ask in (scrub, scrub_code):
            ask(text)
        return time.process_time() - started

    assert min(seconds(64_000) for _ in range(3)) < 16 * min(seconds(8_000) for _ in range(3)) + 0.2
