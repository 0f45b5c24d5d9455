"""The doctor before a real service, through a real nginx that is right or wrong."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from tests.cli.conftest import schema
from tests.support.nginx import ProxyRule, nginx_running
from tests.support.ports import free_port
from tests.support.process import clean_environment
from tests.support.service import FLUXLIT, Service, running

from fluxlit.diagnostics.live import Place, examine

pytestmark = pytest.mark.integration

MOUNT = "/apps/my-app"
APP = """
from fluxlit import FluxLit
app = FluxLit()

@app.page("/")
def home(st):
    st.title("Home")
"""
GZIP = "gzip on; gzip_proxied any; gzip_types text/javascript application/javascript;"


@pytest.fixture(scope="module", params=["trusting", "distrustful"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, bool]]:
    folder = tmp_path_factory.mktemp("live")
    (folder / "app.py").write_text(APP)
    is_trusting = request.param == "trusting"
    environment = {"FLUXLIT_ROOT_PATH": MOUNT, "FLUXLIT_TRUST_PROXY": str(is_trusting)}
    with running("run", directory=folder, environment=environment) as started:
        yield started, is_trusting


def rule(service: Service, *, strip: bool = True, without: tuple[str, ...] = ()) -> ProxyRule:
    return ProxyRule(
        service.port, MOUNT, strip=strip, port=free_port(), without=without, extra=GZIP
    )


def seen(at: ProxyRule, mount: str = MOUNT) -> dict[str, str]:
    found = examine(Place(f"{at.origin}{MOUNT}"), mount)
    return {finding.name: finding.level.status for finding in found}


FINE = {
    "live.reachable": "PASS",
    "live.health": "PASS",
    "live.ready": "PASS",
    "live.sub_path": "PASS",
    "live.compression": "PASS",
    "live.scheme": "PASS",
    "live.host": "PASS",
    "live.client": "PASS",
    "live.clock": "PASS",
    "live.websocket": "PASS",
    "live.websocket_origin": "PASS",
}


def test_what_lies_between_is_judged(service: tuple[Service, bool]) -> None:
    running_service, is_trusting = service
    fine = {**FINE, "live.client": "PASS" if is_trusting else "WARN"}
    strip, full = rule(running_service), rule(running_service, strip=False)
    no_upgrade = rule(running_service, without=("Upgrade $http_upgrade",))
    no_host = rule(running_service, without=("Host $http_host",))
    with nginx_running([strip, full, no_upgrade, no_host]):
        assert seen(strip) == fine
        assert seen(full) == fine
        del fine["live.websocket_origin"]  # nobody can tell where not even the own page gets in
        assert seen(no_upgrade) == {**fine, "live.websocket": "FAIL"}
        assert seen(no_host) == {**fine, "live.websocket": "FAIL", "live.host": "FAIL"}
        assert seen(strip, mount="/other")["live.sub_path"] == "FAIL"


def test_the_command_examines_what_runs(service: tuple[Service, bool]) -> None:
    running_service, is_trusting = service
    at = rule(running_service)
    folder = Path(running_service.directory)
    environment = clean_environment(
        {
            "FLUXLIT_ROOT_PATH": MOUNT,
            "FLUXLIT_PUBLIC_BASE_URL": f"{at.origin}{MOUNT}",
            "FLUXLIT_TRUST_PROXY": "1",
            "FLUXLIT_GATEWAY_MAX_PROXY_REQUEST_BODY_BYTES": str(1 << 30),
            "FLUXLIT_RUN_DIR": str(running_service.run_root),
        }
    )
    with nginx_running([at]):
        found = subprocess.run(
            [FLUXLIT, "doctor", "--strict", "--json", "--live", f"{at.origin}{MOUNT}/"],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    report = json.loads(found.stdout)
    jsonschema.validate(report, schema("doctor"))
    failed = [check for check in report["checks"] if check["status"] != "PASS"]
    assert {check["name"] for check in failed} == (set() if is_trusting else {"live.client"})
    assert found.returncode == (0 if is_trusting else 1)
    assert found.stderr == ""


def test_a_password_opens_the_way_and_is_not_shown(service: tuple[Service, bool]) -> None:
    running_service, is_trusting = service
    let_in = "^Basic bWU6czNjcmV0/|^/nginx-is-ready$"
    guard = 'set $asked "$http_authorization$uri"; '
    guard += f'if ($asked !~ "{let_in}") {{ return 401; }}'
    at = replace(rule(running_service), extra=f"{GZIP} {guard}")
    with nginx_running([at]):
        assert seen(at)["live.reachable"] == "FAIL"
        url = f"{at.origin}{MOUNT}".replace("://", "://me:s3cret@")
        found = list(examine(Place.at(url), MOUNT))
    levels = {finding.name: finding.level.status for finding in found}
    assert levels == {**FINE, "live.client": "PASS" if is_trusting else "WARN"}
    assert "s3cret" not in repr(found)
