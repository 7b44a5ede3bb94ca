"""The guard and the deadline, over real sockets: a mock transport has neither."""

import logging
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from routers.errors import DeliveryError, PermanentError, TemporaryError
from routers.http import ANSWER_LIMIT, make_client, post_json
from routers.network import is_public
from tests.alerts import NOW
from tests.routers.peers import CERTIFICATE, Talk, a_free_port, a_peer, answering, in_tls

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SHORT = timedelta(seconds=0.5)
SECRET = "T0-very-secret"  # the path of every URL here


def resolving_to(*addresses: str) -> Callable[[str, int], list[str]]:
    return lambda _host, _port: list(addresses)


def post(url: str, *, allow_private: bool = True, **client: Any) -> str:
    with make_client(allow_private=allow_private, **client) as made:
        return post_json(made, f"{url}/{SECRET}", {"a": 1}, now=NOW).text


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "192.0.0.192",
        "192.88.99.1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::7f00:1",
        "fec0::1",
    ],
)
def test_an_address_that_is_not_public_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f000001", "2130706433", "127.1", "[::1]", "0"]
)
def test_a_private_destination_is_refused_however_it_is_spelled(host: str) -> None:
    with pytest.raises(PermanentError, match="POINTSMAN_ALLOW_PRIVATE_DESTINATIONS") as raised:
        post(f"http://{host}:9", allow_private=False)
    assert raised.value.code == "private_destination"
    assert host not in str(raised.value)


def test_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(PermanentError, match="not on the public internet"):
        post("http://x.test", allow_private=False, resolve=resolving_to("1.1.1.1", "10.0.0.1"))


def test_a_name_is_resolved_once_and_stays_in_the_request() -> None:
    asked: list[str] = []
    requests: list[bytes] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with a_peer(answering(OK, requests)) as port:
        assert post(f"http://hooks.test:{port}", resolve=resolve) == "ok"
    assert asked == ["hooks.test"]
    assert f"Host: hooks.test:{port}".encode() in requests[0]


def test_the_next_address_is_tried() -> None:
    with a_peer(answering(OK)) as port:
        resolve = resolving_to("::1", "127.0.0.1")
        assert post(f"http://hooks.test:{port}", resolve=resolve) == "ok"


def test_tls_asks_for_the_name() -> None:
    requests: list[bytes] = []
    with (
        a_peer(answering(b"not TLS at all", requests)) as port,
        pytest.raises(TemporaryError) as raised,
    ):
        post(f"https://hooks.test:{port}", resolve=resolving_to("127.0.0.1"))
    assert raised.value.code == "tls"
    assert b"hooks.test" in requests[0]


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_the_name_is_taken() -> None:
    with a_peer(in_tls(answering(OK))) as port:
        assert post(f"https://hooks.test:{port}", resolve=resolving_to("127.0.0.1")) == "ok"


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_name_is_refused() -> None:
    with a_peer(in_tls(answering(OK))) as port, pytest.raises(TemporaryError) as raised:
        post(f"https://other.test:{port}", resolve=resolving_to("127.0.0.1"))
    assert raised.value.code == "tls"


@pytest.mark.usefixtures("trusted")
def test_an_answer_dripped_through_tls_is_cut_off() -> None:
    with a_peer(in_tls(_dripping(b""))) as port, pytest.raises(TemporaryError) as raised:
        post(f"https://hooks.test:{port}", limit=SHORT, resolve=resolving_to("127.0.0.1"))
    assert raised.value.code == "timeout"


def _dripping(talk_before: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(talk_before)
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    return talk


@pytest.mark.parametrize(
    "before",
    [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"],
    ids=["status", "headers", "body"],
)
def test_an_answer_dripped_byte_by_byte_is_cut_off(before: bytes) -> None:
    begun = time.monotonic()
    with a_peer(_dripping(before)) as port, pytest.raises(TemporaryError) as raised:
        post(f"http://127.0.0.1:{port}", limit=SHORT)
    assert raised.value.code == "timeout"
    assert time.monotonic() - begun < 2


def test_a_silent_tls_peer_is_cut_off() -> None:
    with (
        a_peer(lambda connection: time.sleep(0.8)) as port,
        pytest.raises(TemporaryError) as raised,
    ):
        post(f"https://127.0.0.1:{port}", limit=SHORT)
    assert raised.value.code == "timeout"


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        time.sleep(1.5)
        return []

    begun = time.monotonic()
    with pytest.raises(TemporaryError, match="not resolved in time"):
        post("http://hooks.test", limit=SHORT, resolve=resolve)
    assert time.monotonic() - begun < 1


def _resetting(connection: socket.socket) -> None:
    connection.recv(10)


def test_what_went_wrong_on_the_way_has_a_short_code() -> None:
    def code(url: str, **client: Any) -> str:
        with pytest.raises(DeliveryError) as raised:
            post(url, **client)
        assert SECRET not in str(raised.value)
        return raised.value.code

    assert code("http://hooks.test", resolve=resolving_to()) == "unknown_host"
    assert code(f"http://127.0.0.1:{a_free_port()}") == "refused"
    assert code("ftp://127.0.0.1") == "invalid_url"
    assert code("nothing") == "invalid_url"
    assert code("http://a\0b") == "invalid_url"
    assert code(f"http://{'a' * 64}..test") in {"invalid_url", "unknown_host"}
    with a_peer(_resetting) as port:
        assert code(f"http://127.0.0.1:{port}") == "connection_lost"
    with a_peer(answering(b"220 smtp.test ESMTP\r\n")) as port:
        assert code(f"http://127.0.0.1:{port}") == "connection_lost"


def test_a_no_is_understood_before_its_body_ends() -> None:
    head = b"HTTP/1.1 410 Gone\r\nContent-Length: 9999\r\n\r\n"
    with a_peer(_dripping(head)) as port, pytest.raises(PermanentError) as raised:
        post(f"http://127.0.0.1:{port}", limit=SHORT)
    assert raised.value.code == "gone"


def test_a_redirect_is_not_followed() -> None:
    with a_peer(answering(OK)) as elsewhere:
        moved = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere}/\r\n\r\n"
        with a_peer(answering(moved.encode())) as port, pytest.raises(PermanentError) as raised:
            post(f"http://127.0.0.1:{port}")
    assert raised.value.code == "redirect"


def test_an_endless_answer_is_read_up_to_its_limit() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"
    with a_peer(answering(head + b"x" * 9_000_000)) as port:
        assert len(post(f"http://127.0.0.1:{port}")) == ANSWER_LIMIT


def test_a_packed_answer_is_not_unpacked() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"
    with a_peer(answering(head)) as port:
        assert post(f"http://127.0.0.1:{port}") == "ok"


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{a_free_port()}")
    with a_peer(answering(OK)) as port:
        assert post(f"http://127.0.0.1:{port}") == "ok"


def test_no_cookie_is_kept() -> None:
    requests: list[bytes] = []
    baking = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    with (
        a_peer(answering(baking, requests)) as port,
        make_client(allow_private=True) as client,
    ):
        for _ in range(2):
            post_json(client, f"http://127.0.0.1:{port}", {}, now=NOW)
    assert b"cookie" not in requests[1].lower()


def test_no_library_logs_the_url(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with a_peer(answering(OK)) as port:
        post(f"http://127.0.0.1:{port}")
    assert SECRET not in caplog.text
