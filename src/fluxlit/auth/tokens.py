"""JSON Web Tokens: made and checked with joserfc, which ``fluxlit[auth]`` brings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from fluxlit.exceptions import MissingExtra

try:
    from joserfc import jwt
    from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
    from joserfc.jwk import KeyFlexible, KeySet, OctKey
    from joserfc.jws import JWSRegistry, extract_compact
    from joserfc.registry import Header

    from fluxlit.auth.keys import RemoteKeys
except ImportError as exc:
    what = "checking tokens"
    raise MissingExtra(what, "auth") from exc

ASYMMETRIC: Final = frozenset(
    {
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
        "EdDSA", "Ed25519", "Ed448",
    }
)  # fmt: skip
"""Algorithms that a public key may check (RFC 7518 section 3.1, RFC 8037, RFC 9864)."""

SHARED: Final = "HS256"

LONGEST_HEADER: Final = 16 * 1024
"""Bytes; some issuers put a chain of certificates there."""


class InvalidToken(Exception):
    """A token is not to be believed."""


class ExpiredToken(InvalidToken):
    """A token was to be believed once."""


class KeysNeeded(Exception):
    """Keys have to be fetched first, and the caller said not to wait."""


class Verifier:
    """Checks signatures and what a token says of itself.

    Args:
        algorithms: What may have signed a token.
        secret: Key of HS256; empty for none.
        keys: Keys of the other algorithms; None for none.
        now: Seconds since the epoch.

    Raises:
        ValueError: An algorithm is not supported, or the secret is a public key.
    """

    def __init__(
        self,
        algorithms: Collection[str],
        *,
        secret: str = "",
        keys: RemoteKeys | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        unknown = set(algorithms) - ASYMMETRIC - {SHARED}
        if unknown or not algorithms:
            msg = f"algorithms of tokens that cannot be checked: {', '.join(sorted(unknown))}"
            raise ValueError(msg if unknown else "no algorithm is allowed to sign tokens")
        self._secret = OctKey.import_key(secret) if secret else None
        self._keys = keys
        self._now = now
        # Strict would refuse header parameters that it does not know, which are to be ignored.
        self._registry = JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
        self._registry.max_header_length = LONGEST_HEADER

    @classmethod
    def at(cls, algorithms: Collection[str], secret: str, url: str) -> Verifier:
        """Make one from a secret, from the address of public keys, or from both."""
        return cls(algorithms, secret=secret, keys=RemoteKeys(url) if url else None)

    def decode(self, value: str, *, may_wait: bool) -> jwt.Token:
        """Check who signed a token.

        Args:
            value: The token.
            may_wait: Fetch keys if that is needed.

        Raises:
            InvalidToken: The signature is not good, or it is no token.
            KeysNeeded: Keys have to be fetched.
            KeysUnavailable: They cannot be fetched.
        """
        keys = self._keys.at_hand() if self._keys is not None else None
        try:
            return self._decode(value, keys)
        except (InvalidKeyIdError, KeysNeeded):
            if self._keys is None:
                raise InvalidToken from None
            if not may_wait:
                raise KeysNeeded from None
        try:
            return self._decode(value, self._keys.fetch(keys))
        except InvalidKeyIdError:
            raise InvalidToken from None

    def _decode(self, value: str, keys: KeySet | None) -> jwt.Token:
        """Check with these keys; a name that they do not have is told from all other faults."""
        try:
            return jwt.decode(value, self._key_of(keys), registry=self._registry)
        except InvalidKeyIdError:
            raise
        # Whatever a stranger's text can make of a parser, the RecursionError of deep JSON included.
        except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise InvalidToken from exc

    def _key_of(self, keys: KeySet | None) -> KeyFlexible:
        """Choose the key by the algorithm, so that no public key can ever serve as a secret."""

        def choose(token: Any) -> OctKey | KeySet:
            header: Header = token.headers()
            if header.get("alg") == SHARED:
                if self._secret is None:
                    raise InvalidToken
                return self._secret
            if self._keys is None:
                raise InvalidToken
            if keys is None:
                raise KeysNeeded
            return keys

        return choose

    def claims(
        self, token: jwt.Token, *, issuer: str, audience: str, leeway_seconds: int = 0
    ) -> dict[str, Any]:
        """Check what a signed token says of itself: issuer, audience, times.

        Raises:
            ExpiredToken: Its time is over.
            InvalidToken: It is not meant for us, or does not say until when it holds.
        """
        expected = jwt.JWTClaimsRegistry(
            int(self._now()),
            leeway_seconds,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        )
        try:
            expected.validate(token.claims)
        except ExpiredTokenError as exc:
            raise ExpiredToken from exc
        except JoseError as exc:
            raise InvalidToken from exc
        return token.claims


def unverified(value: str) -> dict[str, Any]:
    """Return what a token says, whoever signed it.

    Raises:
        InvalidToken: It is no token.
    """
    try:
        claims = json.loads(extract_compact(value.encode()).payload)
    except (JoseError, ValueError, KeyError, TypeError, RecursionError) as exc:
        raise InvalidToken from exc
    if not isinstance(claims, dict):
        raise InvalidToken
    return claims


def sign(claims: Mapping[str, Any], secret: str) -> str:
    """Make an HS256 token.

    Raises:
        ValueError: The secret is empty, or a public key.
    """
    return jwt.encode({"alg": SHARED}, dict(claims), OctKey.import_key(secret), [SHARED])
