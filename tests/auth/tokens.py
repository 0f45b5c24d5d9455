"""Tokens of all kinds, good and bad, and an issuer whose keys can be fetched."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey
from joserfc.jws import JWSRegistry

SECRET = "0123456789abcdef0123456789abcdef"
ISSUER = "https://id.example"
AUDIENCE = "desk"
RSA = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER_RSA = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "curve", "use": "sig"})


def claims(**more: Any) -> dict[str, Any]:
    """What a good token says."""
    now = int(time.time())
    return {"sub": "ada", "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 60, **more}


def signed(key: Key | None = None, alg: str = "HS256", *, header: Any = None, **more: Any) -> str:
    """Make a token; a claim that is None is left out."""
    said = {name: value for name, value in claims(**more).items() if value is not None}
    head = {"alg": alg, **(header or {})}
    registry = JWSRegistry(algorithms=[alg], strict_check_header=False)
    return jwt.encode(head, said, key or OctKey.import_key(SECRET), registry=registry)


def by_hand(header: dict[str, Any], secret: str = SECRET) -> str:
    """Make a token with a header that no library would write."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", **header}, claims())]
    text = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mark = urlsafe_b64encode(hmac.digest(secret.encode(), text, "sha256")).rstrip(b"=")
    return f"{text.decode()}.{mark.decode()}"


def by_rsa(key: RSAKey = RSA, **more: Any) -> str:
    """Make a token with an issuer's key."""
    return signed(key, "RS256", header={"kid": key.kid}, **more)


class Issuer(httpx2.MockTransport):
    """Answers with its keys and counts how often; ``keys`` of None is a failure."""

    def __init__(self, *keys: Key) -> None:
        self.keys: tuple[Key, ...] | None = keys
        self.asked = 0
        super().__init__(self._answer)

    def _answer(self, _: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        if self.keys is None:
            message = "nobody is there"
            raise httpx2.ConnectError(message)
        document = {"keys": [key.as_dict(private=False) for key in self.keys]}
        return httpx2.Response(200, text=json.dumps(document))
