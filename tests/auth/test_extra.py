"""Without ``fluxlit[auth]`` everything can be imported, and what needs it says so."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import sys
for name in ("authlib", "joserfc"):
    sys.modules[name] = None
import fluxlit, fluxlit.auth, fluxlit.auth.jwt, fluxlit.auth.oidc
from fluxlit import *
from fluxlit.auth import *
app = FluxLit()
bearer = JWTAuthConfig("i", "a", ["HS256"], hs256_secret="s" * 32)
client = GenericOIDCClientConfig("https://id.example", "desk", "s")
issued = dict(subject="s", issuer="i", audience="a", secret="s" * 32, ttl_seconds=1)
try:
    {code}
except RuntimeError as exc:
    print(type(exc).__name__, exc, "|", exc.remedy)
"""


@pytest.mark.parametrize(
    "code",
    [
        "JWTBearer(bearer)",
        "GenericOIDCClient(client)",
        "issue_hs256_access_token(**issued)",
        "app.attach_oidc_login(None, first_party_secret='s' * 32)",
    ],
)
def test_it_says_what_to_install(code: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT.replace("{code}", code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.startswith("MissingExtra "), ran.stderr
    assert "fluxlit[auth]" in ran.stdout
    assert "pip install 'fluxlit[auth]'" in ran.stdout


def test_an_app_without_a_login_imports_none_of_it() -> None:
    code = (
        "import sys; from fluxlit import FluxLit; FluxLit()\n"
        "print([it for it in ('authlib', 'joserfc', 'cryptography') if it in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.strip() == "[]"
