"""The chapter of the rule book on secrets and tokens."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from fluxlit.config.deployment import Deployment
from fluxlit.config.findings import Level
from fluxlit.config.rulebook import LOOPBACK, RuleBook, when
from fluxlit.config.ui_rules import MAKE_ONE

LONG_LEEWAY: Final = 300
"""Seconds; above, an expired token lives on noticeably."""

SHORTEST_SECRET: Final = 32
"""Bytes; an HS256 key must be as long as its hash at least (RFC 7518 section 3.2)."""

WELL_KNOWN_SECRETS: Final = frozenset(
    {"admin", "changeit", "changeme", "default", "dev", "example", "insecure", "password", "secret"}
    | {"change-me", "change_me", "dev-secret", "secret-key", "supersecret", "test", "your-secret"}
)

TOKEN_RULES: Final = RuleBook()
"""The chapter."""


@TOKEN_RULES.rule("secrets", MAKE_ONE, Level.ERROR)
def _secret_well_known(d: Deployment) -> str:
    secrets = {
        name: value.get_secret_value().strip().lower()
        for name in type(d.settings).model_fields
        if isinstance(value := getattr(d.settings, name), SecretStr)
    }
    known = [name for name, value in secrets.items() if value in WELL_KNOWN_SECRETS]
    return when(known, f"everybody knows the value of {', '.join(known)}")


@TOKEN_RULES.rule("secrets", MAKE_ONE)
def _secret_short(d: Deployment) -> str:
    keys = {name: getattr(d.settings, name) for name in ("jwt_hs256_secret", "oidc_bff_secret")}
    short = [
        name for name, key in keys.items() if 0 < len(key.get_secret_value()) < SHORTEST_SECRET
    ]
    return when(short, f"shorter than {SHORTEST_SECRET} characters: {', '.join(short)}")


@TOKEN_RULES.rule("jwt", "keep jwt_hs256_secret or jwt_jwks_url", Level.ERROR)
def _jwt_two_keys(d: Deployment) -> str:
    two = d.settings.jwt_hs256_secret.get_secret_value() and d.settings.jwt_jwks_url
    return when(two, "both a shared secret and public keys are given for tokens")


@TOKEN_RULES.rule(
    "jwt", "set jwt_issuer, jwt_audience and one of jwt_hs256_secret and jwt_jwks_url"
)
def _jwt_incomplete(d: Deployment) -> str:
    key = d.settings.jwt_hs256_secret.get_secret_value() or d.settings.jwt_jwks_url
    parts = {"issuer": d.settings.jwt_issuer, "audience": d.settings.jwt_audience, "key": key}
    missing = [name for name, value in parts.items() if not value]
    return when(0 < len(missing) < len(parts), f"tokens have no {' and no '.join(missing)}")


@TOKEN_RULES.rule("jwt", "use https")
def _jwt_keys_in_clear(d: Deployment) -> str:
    keys = urlsplit(d.settings.jwt_jwks_url.strip())
    clear = keys.scheme == "http" and keys.hostname not in LOOPBACK
    return when(clear, "jwt_jwks_url is http: whoever sits between can sign tokens")


@TOKEN_RULES.rule("jwt_clock_skew", "set the clocks right (NTP) and lower jwt_leeway_seconds")
def _jwt_leeway_long(d: Deployment) -> str:
    seconds = d.settings.jwt_leeway_seconds
    return when(seconds > LONG_LEEWAY, f"tokens live {seconds} s longer than they say")
