"""Without ``fluxlit[auth]`` everything can be imported, and what needs it says so."""

from __future__ import annotations

import subprocess
import sys

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
for call in CALLS:
    try:
        eval(call)
    except RuntimeError as exc:
        print(type(exc).__name__, exc, "|", exc.remedy)
"""


CALLS = (
    "JWTBearer(bearer)",
    "GenericOIDCClient(client)",
    "issue_hs256_access_token(**issued)",
    "app.attach_oidc_login(None, first_party_secret='s' * 32)",
)


def test_it_says_what_to_install() -> None:
    program = WITHOUT.replace("CALLS", repr(CALLS))
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    lines = ran.stdout.splitlines()
    assert len(lines) == len(CALLS), ran.stderr
    for line in lines:
        assert line.startswith("MissingExtra ")
        assert "needs fluxlit[auth]" in line
        assert line.endswith("python -m pip install 'fluxlit[auth]'")
