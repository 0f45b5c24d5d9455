"""A certified OpenID provider as a process, and a person who signs in there without a browser."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest
from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import httpx2

HERE = Path(__file__).parent
MODULES = HERE.parents[2] / ".cache/openid-provider"
CANCEL = re.compile(r'href="([^"]+/abort)"')
FORM = re.compile(r'action="([^"]+)".*?name="prompt" value="(\w+)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class OpenIDProvider:
    """Where it is, and the one client that it knows."""

    issuer: str
    client_id: str = "desk"
    client_secret: str = "not/plain+words%20: only="


@contextmanager
def openid_provider(directory: Path, redirect_uris: Sequence[str]) -> Iterator[OpenIDProvider]:
    """Run the provider for as long as the block lasts."""
    node = shutil.which("node")
    if node is None or not (MODULES / "node_modules").is_dir():
        pytest.skip("no OpenID provider: run scripts/openid-provider")
    port = free_port()
    provider = OpenIDProvider(f"http://127.0.0.1:{port}")
    process = ServerProcess(
        [node, str(HERE / "provider.mjs"), str(MODULES), str(port), *redirect_uris],
        directory=directory,
        log=directory / "provider.log",
        environment={"CLIENT_SECRET": provider.client_secret},
    )
    try:
        process.wait_until_ready([Probe(port, "/.well-known/openid-configuration")])
        yield provider
    finally:
        process.kill()


def sign_in(browser: httpx2.Client, address: str, name: str) -> str:
    """Fill in the provider's forms.

    Args:
        browser: Keeps the provider's cookies; does not follow redirects.
        address: Where the app has sent the user.
        name: Who signs in; empty to press "Cancel".

    Returns:
        Where the provider sends the user back.
    """
    origin = address.partition("/auth?")[0]
    answer = browser.get(address)
    for _ in range(10):
        if answer.is_redirect:
            address = urljoin(address, answer.headers["location"])
            if not address.startswith(origin):
                return address
            answer = browser.get(address)
        elif not name:
            cancel = CANCEL.search(answer.text)
            assert cancel, answer.text
            answer = browser.get(urljoin(address, cancel[1]))
        else:
            form = FORM.search(answer.text)
            assert form, answer.text
            filled = {"prompt": form[2], "login": name, "password": "any"}
            answer = browser.post(form[1], data=filled)
    raise AssertionError(f"still at the provider: {address}")
