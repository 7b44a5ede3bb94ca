"""The upstream's address, the seal, and what the SDKs are told of its limits."""

from datetime import timedelta

import pytest

from service.upstream.address import parse_dsn
from service.upstream.limits import RateLimits
from service.upstream.seal import Seal, UnreadableError
from tests.builders import NOW

OLD, NEW = "an old key of ours", "a new key of ours!"
KEY = "Sentry sentry_version=7, sentry_client=pointsman, sentry_key=k"


@pytest.mark.parametrize(
    ("dsn", "url", "said"),
    [
        ("https://k@sentry.io/42", "https://sentry.io/api/42/envelope/", KEY),
        ("http://k@10.0.0.7:9000/42", "http://10.0.0.7:9000/api/42/envelope/", KEY),
        ("https://k@host/in/here/42", "https://host/in/here/api/42/envelope/", KEY),
        ("https://k:s@host/42", "https://host/api/42/envelope/", f"{KEY}, sentry_secret=s"),
    ],
)
def test_a_dsn_says_where_and_who(dsn: str, url: str, said: str) -> None:
    address = parse_dsn(dsn)
    assert (address.url, address.headers) == (url, {"X-Sentry-Auth": said})
    assert KEY not in repr(address)


@pytest.mark.parametrize("dsn", ["", "k@host/1", "https://host/1", "https://k@host", "ftp://k@h/1"])
def test_what_is_no_dsn_is_refused_without_repeating_it(dsn: str) -> None:
    with pytest.raises(ValueError, match="a DSN ") as caught:
        parse_dsn(dsn)
    assert not dsn or dsn not in str(caught.value)


def test_what_is_sealed_is_read_with_an_older_key_too() -> None:
    sealed = Seal([OLD]).close(b"secret " * 99, "row 1")
    assert b"secret" not in sealed
    assert Seal([NEW, OLD]).open(sealed, "row 1") == b"secret " * 99


@pytest.mark.parametrize(
    ("keys", "label", "cut"), [([NEW], "row 1", 0), ([OLD], "row 2", 0), ([OLD], "row 1", 1)]
)
def test_another_key_row_or_content_is_not_opened(keys: list[str], label: str, cut: int) -> None:
    sealed = Seal([OLD]).close(b"x", "row 1")
    with pytest.raises(UnreadableError):
        Seal(keys).open(sealed[: len(sealed) - cut], label)


@pytest.mark.parametrize(
    ("learnt", "told"),
    [
        (None, None),
        ("", None),
        ("60:transaction:organization", "60:transaction:organization"),
        ("60:transaction;session:key:quota", "60:session;transaction:organization"),
        ("60:error:project", None),
        ("60:default;error;span:project", "60:span:organization"),
        ("60::organization", "60:session;span;transaction:organization"),
        ("9999999:span:", "3600:span:organization"),
        ("60:span:a, 120:session:b", "60:span:organization, 120:session:organization"),
        ("x, 60:span\r\nSet-Cookie: a, 60:nonsense:o,:::", None),
    ],
)
def test_limits_are_passed_on_but_never_for_errors(learnt: str | None, told: str | None) -> None:
    limits = RateLimits(("session", "span", "transaction"))
    limits.learn(learnt, NOW)
    assert limits.header(NOW) == told


def test_a_limit_ends() -> None:
    limits = RateLimits(("span",))
    limits.learn("60:span:organization", NOW)
    assert limits.header(NOW + timedelta(seconds=61)) is None
