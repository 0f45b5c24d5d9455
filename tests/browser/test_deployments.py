"""The shipped deployments: their files are what ``fluxlit build`` writes, and they work."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from playwright.sync_api import expect
from starlette.responses import JSONResponse
from tests.browser.steps import see_text, see_title, sidebar_link, upload
from tests.support.browser import fresh_page
from tests.support.process import clean_environment
from tests.support.proxies import PROXIES, proxy_running
from tests.support.servers import serving
from tests.support.service import FLUXLIT, copy_app, running

from fluxlit._types import Receive, Scope, Send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

EXAMPLE = Path(__file__).parents[2] / "examples/deploy"
MOUNTS = {"root": "", "subpath": "/apps/desk"}
SIZE = 3 * 1024 * 1024
"""Bytes of the upload: more than nginx lets through unless it is told."""


def fluxlit(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FLUXLIT, *arguments],
        cwd=folder,
        env=clean_environment({"PYTHONDONTWRITEBYTECODE": "1", **environment}),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's folder, as somebody has copied it."""
    return copy_app(EXAMPLE, tmp_path_factory.mktemp("order-desk"))


def written(folder: Path) -> dict[str, str]:
    """The files of a deployment, but for the Python that they were written with."""
    return {
        path.name: re.sub(r"python:3\.\d+-slim", "python:3-slim", path.read_text())
        for path in folder.iterdir()
    }


@pytest.mark.integration
@pytest.mark.parametrize("form", MOUNTS)
def test_the_files_are_those_that_are_built(form: str, app: Path) -> None:
    shipped = written(app / form)
    environment = {"FLUXLIT_ROOT_PATH": MOUNTS[form]}
    told = fluxlit("build", "-o", form, "--with", "all", "--force", folder=app, **environment)
    assert told.returncode == 0, told.stderr
    assert written(app / form) == shipped


def variables(form: str, file: str) -> dict[str, str]:
    """The environment that a deployment gives to the app."""
    text = (EXAMPLE / form / file).read_text()
    if file == "production.env":
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        return dict(line.split("=", 1) for line in lines)
    kinds = {item["kind"]: item for item in yaml.safe_load_all(text)}
    data: dict[str, str] = kinds["ConfigMap"]["data"]
    return data


@pytest.mark.integration
@pytest.mark.parametrize("file", ["production.env", "kubernetes.yaml"])
@pytest.mark.parametrize("form", MOUNTS)
def test_the_doctor_finds_nothing(form: str, file: str, app: Path) -> None:
    environment = variables(form, file) | {"FLUXLIT_GATEWAY_PORT": "0"}
    told = fluxlit("doctor", "--strict", "--json", "--check-pages", folder=app, **environment)
    checks: list[dict[str, Any]] = json.loads(told.stdout)["checks"]
    assert [check for check in checks if check["status"] != "PASS"] == []
    assert told.returncode == 0


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment that is running."""

    form: str
    origins: dict[str, str]

    @property
    def mount(self) -> str:
        return MOUNTS[self.form]


@pytest.fixture(scope="module", params=MOUNTS)
def deployed(request: pytest.FixtureRequest, app: Path) -> Iterator[Deployed]:
    """A deployment's app behind all of its proxies at once."""
    form = request.param
    ready = f"{MOUNTS[form]}/api/readyz"
    environment = variables(form, "production.env")
    paths = (ready, f"{MOUNTS[form]}/_stcore/health")
    with ExitStack() as stack:
        service = stack.enter_context(
            running("run", directory=app, environment=environment, ready=paths)
        )
        origins = {
            name: stack.enter_context(
                proxy_running(name, EXAMPLE / form, app=service.port, ready=ready)
            )
            for name in PROXIES
        }
        yield Deployed(form, origins)


@pytest.mark.browser
@pytest.mark.parametrize("proxy", PROXIES)
def test_a_page_opens_and_takes_a_file(
    proxy: str, deployed: Deployed, browser: Browser, tmp_path: Path
) -> None:
    origin = deployed.origins[proxy]
    file = tmp_path / "orders.csv"
    file.write_bytes(b"x" * SIZE)
    with fresh_page(browser, origin) as (page, complaints):
        page.goto(f"{origin}{deployed.mount or '/'}")
        see_title(page, "Orders of the week")
        expect(page.get_by_test_id("stMetricValue")).to_have_text("322")
        sidebar_link(page, "Imports").click()
        expect(page).to_have_url(f"{origin}{deployed.mount}/imports")
        upload(page, file)
        see_text(page, f"orders.csv: {SIZE} bytes")
        assert complaints.messages == []


@pytest.mark.integration
@pytest.mark.parametrize("proxy", PROXIES)
def test_a_visitor_cannot_speak_for_others(proxy: str, deployed: Deployed) -> None:
    address = deployed.origins[proxy].removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=20)
    lies = {
        "X-Forwarded-For": "8.8.8.8",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
    }
    connection.request("GET", f"{deployed.mount}/api/healthz/request", headers=lies)
    told = json.loads(connection.getresponse().read())
    connection.close()
    assert told["forwarded"] == {"named": True, "believed": True}
    assert (told["client"], told["scheme"], told["host"]) == ("loopback", "http", address)
    assert told["root_path"] == f"{deployed.mount}/api"


@pytest.mark.integration
@pytest.mark.parametrize("proxy", PROXIES)
def test_the_doctor_examines_it_through_its_proxy(
    proxy: str, deployed: Deployed, tmp_path: Path
) -> None:
    origin = f"{deployed.origins[proxy]}{deployed.mount}"
    told = fluxlit("doctor", "--strict", "--json", "--live", origin, folder=tmp_path)
    checks: list[dict[str, Any]] = json.loads(told.stdout)["checks"]
    assert [check for check in checks if check["status"] != "PASS"] == []
    assert len(checks) > 5


IDENTITY = (
    "Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username", "X-Auth-Request-User", "X-Auth-Request-Email",
)  # fmt: skip


async def names_of_headers(scope: Scope, receive: Receive, send: Send) -> None:
    names = sorted(name.decode() for name, _ in scope["headers"])
    await JSONResponse(names)(scope, receive, send)


@pytest.mark.integration
@pytest.mark.parametrize("proxy", PROXIES)
def test_nobody_passes_for_a_login_proxy(proxy: str) -> None:
    with (
        serving(names_of_headers) as (_, port),
        proxy_running(proxy, EXAMPLE / "root", app=port, ready="/") as origin,
    ):
        connection = http.client.HTTPConnection(origin.removeprefix("http://"), timeout=20)
        connection.request("GET", "/", headers=dict.fromkeys((*IDENTITY, "X-Tenant"), "mallory"))
        names = json.loads(connection.getresponse().read())
        connection.close()
    assert "x-tenant" in names
    assert {name.lower() for name in IDENTITY}.isdisjoint(names)
