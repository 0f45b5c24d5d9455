"""An identity provider that answers what a test wants, and a browser that goes to it and back."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit

from tests.auth.tokens import RSA, signed

from fluxlit.auth import GenericOIDCClient, GenericOIDCClientConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENT_ID, CLIENT_SECRET = "desk", "c/l i+e%n:t"


class IdP:
    """The provider; set what it is to answer.

    Attributes:
        metadata: What it says of itself beyond its addresses.
        id_token: Changes of the ID token's claims; a claim that is None is left out.
        sign: Makes the ID token from its claims.
        token_answer: In place of what the token endpoint answers: status and body.
        seen: What the token endpoint was asked, the last time.
        nonce: What the app wants to see again.
    """

    def __init__(self) -> None:
        self.metadata: dict[str, Any] = {}
        self.id_token: dict[str, Any] = {}
        self.sign: Any = None
        self.token_answer: tuple[int, Any] | None = None
        self.seen: dict[str, str] = {}
        self.nonce = ""
        self.issuer = ""
        self.keys: list[dict[str, Any]] = [RSA.as_dict(private=False)]
        self.asked: list[str] = []

    def client(self) -> GenericOIDCClient:
        """A client that is registered here."""
        return GenericOIDCClient(GenericOIDCClientConfig(self.issuer, CLIENT_ID, CLIENT_SECRET))

    def answer(self, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        """Answer one request."""
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            addresses = {"authorization": "authorize", "token": "token"}
            own = {f"{name}_endpoint": f"{self.issuer}/{at}" for name, at in addresses.items()}
            said = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **own}
            return 200, {**said, **self.metadata}
        if path == "/keys":
            return 200, {"keys": self.keys}
        if path != "/token":
            return 404, {}
        self.seen = dict(parse_qsl(body.decode()))
        scheme, _, words = headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, secret = b64decode(words).decode().partition(":")
            self.seen |= {"basic_id": unquote_plus(name), "basic_secret": unquote_plus(secret)}
        return self.token_answer or (200, {"access_token": "theirs", "id_token": self.made()})

    def made(self) -> str:
        """The ID token."""
        own = {"iss": self.issuer, "aud": CLIENT_ID, "nonce": self.nonce}
        claims = {**own, "exp": int(time.time()) + 60, **self.id_token}
        make = self.sign or (lambda **said: signed(RSA, "RS256", header={"kid": "one"}, **said))
        return str(make(**claims))


@contextlib.contextmanager
def running_idp() -> Iterator[IdP]:
    """Serve the provider on loopback."""
    idp = IdP()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, said = idp.answer(self.path, self.headers, body)
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    idp.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield idp
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def query_of(address: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
