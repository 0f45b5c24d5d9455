from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

import httpx2
import pytest
from tests.auth.tokens import EC, OTHER_RSA, RSA, Issuer, by_rsa

from fluxlit.auth.keys import MOST_WAITING, RemoteKeys, parse_keys
from fluxlit.auth.tokens import InvalidToken, KeysNeeded, Verifier
from fluxlit.exceptions import KeysUnavailable

PUBLISHED_SECRET = {"kty": "oct", "kid": "shared", "k": "A" * 43}
URL = "https://id.example/keys"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A verifier, the issuer that it asks, and the time."""

    def __init__(self) -> None:
        self.issuer, self.clock = Issuer(RSA), Clock()
        self.keys = RemoteKeys(URL, transport=self.issuer, clock=self.clock)
        self.verifier = Verifier(["RS256"], keys=self.keys)

    def subject(self, token: str) -> Any:
        return self.verifier.decode(token, may_wait=True).claims["sub"]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_who_may_not_wait_is_told(bench: Bench) -> None:
    with pytest.raises(KeysNeeded):
        bench.verifier.decode(by_rsa(), may_wait=False)
    assert bench.issuer.asked == 0
    assert bench.subject(by_rsa()) == "ada"
    assert bench.verifier.decode(by_rsa(), may_wait=False).claims["sub"] == "ada"


def test_a_new_key_is_fetched_when_a_token_names_it(bench: Bench) -> None:
    assert bench.subject(by_rsa()) == "ada"
    bench.issuer.keys = (RSA, OTHER_RSA)
    bench.clock.now += 11
    assert bench.subject(by_rsa(OTHER_RSA)) == "ada"
    assert bench.issuer.asked == 2


def test_invented_names_do_not_bother_the_issuer(bench: Bench) -> None:
    assert bench.subject(by_rsa()) == "ada"
    for _ in range(5):
        with pytest.raises(InvalidToken):
            bench.subject(by_rsa(OTHER_RSA))
    assert bench.issuer.asked == 1
    bench.clock.now += 11
    for _ in range(5):
        with pytest.raises(InvalidToken):
            bench.subject(by_rsa(OTHER_RSA))
    assert bench.issuer.asked == 2


def test_keys_go_stale_and_outlive_a_failure_for_an_hour(bench: Bench) -> None:
    assert bench.subject(by_rsa()) == "ada"
    bench.issuer.keys = None
    bench.clock.now += 601
    assert [bench.subject(by_rsa()) for _ in range(3)] == ["ada"] * 3
    assert bench.issuer.asked == 2  # tried once, and not again for ten seconds
    bench.clock.now += 3000
    with pytest.raises(KeysUnavailable, match=URL):
        bench.subject(by_rsa())
    with pytest.raises(KeysUnavailable):
        bench.subject(by_rsa())
    assert bench.issuer.asked == 3
    bench.issuer.keys = (RSA,)
    bench.clock.now += 11
    assert bench.subject(by_rsa()) == "ada"


def test_a_revoked_key_is_gone_after_ten_minutes(bench: Bench) -> None:
    assert bench.subject(by_rsa()) == "ada"
    bench.issuer.keys = (OTHER_RSA,)
    bench.clock.now += 601
    with pytest.raises(InvalidToken):
        bench.subject(by_rsa())


def test_one_fetches_and_only_a_few_wait() -> None:
    release, entered = threading.Event(), threading.Event()

    def slow(_: httpx2.Request) -> httpx2.Response:
        entered.set()
        release.wait(20)
        return httpx2.Response(200, json={"keys": [RSA.as_dict(private=False)]})

    keys = RemoteKeys(URL, transport=httpx2.MockTransport(slow))
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(keys.fetch(None))) for _ in range(MOST_WAITING)
    ]
    threads[0].start()
    assert entered.wait(20)
    for thread in threads[1:]:
        thread.start()
    while keys.waiting < MOST_WAITING:
        assert all(thread.is_alive() for thread in threads)
    with pytest.raises(KeysUnavailable, match="too many"):
        keys.fetch(None)
    release.set()
    for thread in threads:
        thread.join(20)
    assert len(found) == MOST_WAITING
    assert all(it is found[0] for it in found)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(404, json={"keys": []}),
        httpx2.Response(302, headers={"location": "https://evil.example/keys"}),
        httpx2.Response(200, text="<html>"),
        httpx2.Response(200, text="[" * 100_000),
        httpx2.Response(200, json=[]),
        httpx2.Response(200, json={"keys": {}}),
        httpx2.Response(200, json={"keys": []}),
        httpx2.Response(200, json={"keys": ["x", {"kty": "RSA"}, {"kty": "oct", "k": "AAAA"}]}),
        httpx2.Response(200, text=" " * 600_000 + '{"keys": []}'),
    ],
)
def test_an_answer_without_keys(answer: httpx2.Response) -> None:
    keys = RemoteKeys(URL, transport=httpx2.MockTransport(lambda _: answer))
    with pytest.raises(KeysUnavailable):
        keys.fetch(None)


def test_one_odd_key_does_not_spoil_the_others() -> None:
    odd = [{"kty": "AKP", "kid": "new"}, {"kty": "RSA", "n": "!", "e": "?"}, None, PUBLISHED_SECRET]
    for_encryption = {**RSA.as_dict(private=False), "use": "enc"}
    found = parse_keys({"keys": [*odd, for_encryption, EC.as_dict(private=False)]})
    assert [key.kid for key in found] == ["curve"]


def test_an_answer_that_comes_in_drops_is_cut_off() -> None:
    """Each drop would renew the client's own limit."""
    is_over = threading.Event()

    def drip(server: socket.socket) -> None:
        line, _ = server.accept()
        with line, contextlib.suppress(OSError):
            line.sendall(b"HTTP/1.1 200 OK\r\n")
            while not is_over.wait(0.05):
                line.sendall(b"x: y\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/keys"
        issuer = threading.Thread(target=drip, args=(server,))
        issuer.start()
        ends_late = threading.Timer(5.0, is_over.set)  # the head is at last too long for a client
        ends_late.start()
        started = time.monotonic()
        with pytest.raises(KeysUnavailable):
            RemoteKeys(url, timeout_seconds=0.3).fetch(None)
        elapsed = time.monotonic() - started
        ends_late.cancel()
        is_over.set()
        issuer.join(5.0)
    assert elapsed < 4.0
