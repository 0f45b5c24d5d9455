"""Each check of the doctor, on what it passes and on what it does not."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from packaging.version import Version
from tests.support.ports import free_port

from fluxlit import FluxLit
from fluxlit.config import load_settings
from fluxlit.config.deployment import Deployment
from fluxlit.config.findings import Finding, Level
from fluxlit.config.rules import RULES
from fluxlit.diagnostics import configuration, imports, installation, pages, system, upstreams
from fluxlit.diagnostics.doctor import diagnose
from fluxlit.diagnostics.report import Report, describe
from fluxlit.diagnostics.subject import Patient, Subject, admit
from fluxlit.exceptions import StartupError, TargetError
from fluxlit.pages.navigation import NavigationModel

SECRET = "x" * 40


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("FLUXLIT_ROOT_PATH", "PUBLIC_BASE_URL", "FLUXLIT_INTERNAL_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield
    sys.path[:] = path


def rows(findings: Iterable[Finding]) -> dict[str, str]:
    return {finding.row: finding.level.status for finding in findings}


def subject(folder: Path, **environ: str) -> Subject:
    return Subject("json:app", folder, environ=environ)


def patient(app: FluxLit | None = None, **settings: object) -> Patient:
    made = app or FluxLit(settings=load_settings(**settings))
    return Patient(Subject("json:app", Path.cwd()), made, Deployment(made.settings))


@pytest.mark.parametrize(
    ("version", "status"), [((3, 10, 0), "FAIL"), ((3, 12, 1), "PASS"), ((3, 15, 0), "WARN")]
)
def test_python(version: tuple[int, ...], status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    assert rows(imports.python_version(subject(Path.cwd()))) == {"python_version": status}


@pytest.mark.parametrize(
    ("made", "status"),
    [
        ("desk.py", "PASS"),
        ("inspect.py", "WARN"),
        ("streamlit.py", "WARN"),
        ("pandas/__init__.py", "WARN"),
        ("pandas/data.csv", "PASS"),
        ("email.txt", "PASS"),
    ],
)
def test_files_that_hide_a_module(tmp_path: Path, made: str, status: str) -> None:
    (tmp_path / made).parent.mkdir(exist_ok=True)
    (tmp_path / made).touch()
    [finding] = imports.import_shadowing(subject(tmp_path))
    assert finding.level.status == status
    assert (made.split("/", maxsplit=1)[0] in finding.message) is (status == "WARN")


def test_a_target_that_fails_and_one_that_does_not(tmp_path: Path) -> None:
    assert rows(imports.import_target(subject(tmp_path))) == {"import_target": "PASS"}
    broken = Subject("a:b", tmp_path, failure=TargetError("there is no a", remedy="make one"))
    [finding] = imports.import_target(broken)
    assert (finding.level, finding.remedy) == (Level.ERROR, "make one")
    assert list(imports.import_module_file(broken)) == []
    [found] = imports.import_module_file(subject(tmp_path))
    assert found.message.endswith("json/__init__.py")


def test_what_is_installed_fits(tmp_path: Path) -> None:
    found = rows(
        finding
        for check in (
            installation.dependencies,
            installation.streamlit_version,
            installation.streamlit_seams,
        )
        for finding in check(subject(tmp_path))
    )
    assert found == {
        "dependencies": "PASS",
        "streamlit_version": "PASS",
        "streamlit_seams": "PASS",
    }


def test_a_package_that_is_too_old_or_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "version", lambda _: "0.1")
    [finding] = installation.dependencies(subject(tmp_path))
    assert finding.level is Level.ERROR
    assert "streamlit 0.1 does not fit >=" in finding.message

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(installation, "version", missing)
    [finding] = installation.dependencies(subject(tmp_path))
    assert "streamlit is not installed" in finding.message


def test_a_streamlit_from_tomorrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "NEWEST_STREAMLIT", Version("1.2"))
    assert rows(installation.streamlit_version(subject(tmp_path))) == {"streamlit_version": "WARN"}


def test_extras_that_the_settings_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(installation.extras(patient())) == []
    wanting = patient(jwt_hs256_secret=SECRET, enable_gateway_prometheus_metrics=True)
    assert rows(installation.extras(wanting)).keys() == {
        "fluxlit_auth_extra",
        "fluxlit_metrics_extra",
    }
    monkeypatch.setattr(installation, "version", lambda _: "99")
    assert set(rows(installation.extras(wanting)).values()) == {"PASS"}
    monkeypatch.setattr(installation, "version", lambda _: "0.1")
    assert {f.remedy for f in installation.extras(wanting)} == {
        "python -m pip install 'fluxlit[auth]'",
        "python -m pip install 'fluxlit[metrics]'",
    }


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        [finding] = system.gateway_bind(patient(gateway_port=taken.getsockname()[1]))
    assert finding.level is Level.ERROR
    assert rows(system.gateway_bind(patient(gateway_port=0))) == {"gateway_bind": "PASS"}


def test_the_run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows(system.run_directory(Subject("a:b", tmp_path)))
    assert found == {"run_directory": "PASS", "unix_sockets": "PASS"}
    too_long = tmp_path / ("x" * 100)
    assert rows(system.run_directory(subject(tmp_path, FLUXLIT_RUN_DIR=str(too_long)))) == {
        "run_directory": "FAIL"
    }

    def refuse(_: str) -> socket.socket:
        raise StartupError("Operation not permitted")

    monkeypatch.setattr(system, "bind_unix", refuse)
    assert rows(system.run_directory(Subject("a:b", tmp_path)))["unix_sockets"] == "FAIL"


def test_few_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    assert rows(system.open_files(subject(tmp_path))) == {"open_files": "WARN"}
    monkeypatch.setattr(resource, "getrlimit", lambda _: (-1, -1))
    assert rows(system.open_files(subject(tmp_path))) == {"open_files": "PASS"}


def test_every_row_of_the_rule_book_is_there_and_passes_by_default() -> None:
    found = rows(configuration.rule_book(patient()))
    assert found == {rule.check: "PASS" for rule in RULES}


def test_two_rules_of_one_row_are_two_findings() -> None:
    found = list(configuration.rule_book(patient(root_path="/x", jwt_hs256_secret="secret")))
    names = [finding.name for finding in found if finding.row == "secrets"]
    assert names == ["secret_well_known", "secret_short"]


def test_variables_that_nothing_reads(tmp_path: Path) -> None:
    calm = subject(tmp_path)
    assert rows(configuration.leftovers(calm)) == {}
    old = subject(tmp_path, FLUXLIT_STREAMLIT_UPSTREAM_FILE="y")
    assert rows(configuration.leftovers(old)) == {"streamlit_upstream_state": "WARN"}


def test_a_variable_that_is_nearly_a_setting_s(tmp_path: Path) -> None:
    environ = {"FLUXLIT_GATEWAY_PROT": "1", "FLUXLIT_GATEWAY_PORT": "1", "FLUXLIT_OUR_THING": "1"}
    looked_at = replace(patient(), subject=Subject("a:b", tmp_path, environ=environ))
    [finding] = configuration.variables(looked_at)
    assert finding.message == "nothing reads FLUXLIT_GATEWAY_PROT"
    assert finding.remedy == "did you mean FLUXLIT_GATEWAY_PORT?"
    calm = replace(patient(), subject=Subject("a:b", tmp_path, environ={}))
    assert rows(configuration.variables(calm)) == {"environment": "PASS"}


def test_pages_and_probes(tmp_path: Path) -> None:
    app = FluxLit()
    assert rows(pages.pages(patient(app))) == {"pages": "WARN"}
    app.page("/")(lambda: None)
    assert rows(pages.pages(patient(app))) == {"pages": "PASS"}
    assert rows(pages.readiness_route(patient(app))) == {"readiness_route": "PASS"}
    app.api.router.routes.clear()
    assert rows(pages.readiness_route(patient(app))) == {"readiness_route": "WARN"}
    (tmp_path / "s.py").touch()
    assert rows(pages.pages(patient(FluxLit(streamlit_script="s.py")))) == {"pages": "PASS"}


def test_what_is_wrong_with_the_pages_is_an_error() -> None:
    app = FluxLit()
    app.page("/")(lambda: None)
    assert rows(pages.validation(patient(app))) == {"pages_validate": "PASS"}
    app.navigation(NavigationModel(order=("/nowhere",)))
    assert rows(pages.validation(patient(app))) == {"pages_validate": "FAIL"}


def test_the_rows_of_the_doctor_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "desk_of_rows.py").write_text("from fluxlit import FluxLit\napp = FluxLit()")
    looked_at, admitted = admit("desk_of_rows:app", {"gateway_port": 0})
    found = rows(diagnose(looked_at, admitted, check_pages=True))
    assert {
        "python_version", "sys_path_head", "import_shadowing", "import_target",
        "import_module_file", "dependencies", "streamlit_version", "gateway_bind",
        "FLUXLIT_INTERNAL_API_BASE", "jwt_clock_skew", "config.api_mount_path",
        "config.url_session", "config.root_path", "config.trust_proxy", "config.public_base_url",
        "public_base_url_precedence", "oauth_public_base_url", "proxy_headers",
        "forwarded_allow_ips", "gateway_max_proxy_body", "public_base_url", "readiness_route",
        "l7_websocket", "gateway_upstream_timeouts", "async_depends_streamlit",
        "gateway_forward_client_headers", "gateway_forward_rejected_names", "streamlit_upstream",
        "security_headers", "pages_validate", "experimental_yield_pages",
    } <= found.keys()  # fmt: skip
    assert "gateway_bind" not in rows(diagnose(looked_at, admitted, is_running=True))


def test_without_an_app_the_rest_is_still_looked_at() -> None:
    looked_at, admitted = admit("no_such_module:app", {})
    assert admitted is None
    found = rows(diagnose(looked_at, admitted))
    assert (found["import_target"], found["dependencies"]) == ("FAIL", "PASS")
    assert describe(looked_at, None) == {
        "resolved_target": "no_such_module:app",
        "import_failed": True,
    }


@pytest.mark.parametrize(
    ("levels", "warnings_only", "status", "exit_status"),
    [
        ((Level.PASS,), False, "pass", 0),
        ((Level.PASS, Level.WARNING), False, "warn", 0),
        ((Level.ERROR, Level.WARNING), False, "fail", 1),
        ((Level.ERROR,), True, "warn", 0),
    ],
)
def test_the_verdict(
    levels: tuple[Level, ...], warnings_only: bool, status: str, exit_status: int
) -> None:
    findings = tuple(Finding("x", level, "y") for level in levels)
    report = Report("a:b", findings, warnings_only=warnings_only)
    assert (report.status, report.exit_status) == (status, exit_status)


def test_a_ui_elsewhere_is_asked_how_it_is() -> None:
    assert list(upstreams.remote_uis(patient())) == []
    port = free_port()
    far = patient(ui_mode="remote", streamlit_upstream=[f"http://127.0.0.1:{port}"])
    [found] = upstreams.remote_uis(far)
    assert found.level is Level.WARNING
    assert found.message == f"'http://127.0.0.1:{port}': cannot be reached"
    broken = patient(ui_mode="remote", streamlit_upstream=["http://a:b"])
    assert list(upstreams.remote_uis(broken)) == []
