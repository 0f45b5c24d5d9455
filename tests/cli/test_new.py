from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from tests.support.nginx import nginx_program
from tests.support.process import clean_environment
from tests.support.service import FLUXLIT, running
from typer.testing import CliRunner

from fluxlit._version import __version__
from fluxlit.cli import app
from fluxlit.cli.adopt import Adopted, look
from fluxlit.cli.new import Profile
from fluxlit.cli.scaffold import render, words_for
from fluxlit.exceptions import FluxLitError

NO_WORDS = defaultdict[str, str](str)
PROFILES = [profile.value for profile in Profile]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["new", *arguments])
    if isinstance(result.exception, FluxLitError):
        return 1, f"{result.exception} {result.exception.remedy}"
    return result.exit_code, result.output


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_left_to_fill_in(profile: str, tmp_path: Path) -> None:
    status, text = new("order-desk", "--profile", profile)
    assert status == 0
    assert profile in text
    for file in (tmp_path / "order-desk").rglob("*"):
        assert not file.name.endswith("-tpl")
        assert file.is_dir() or "{{" not in file.read_text()
    assert (tmp_path / "order-desk/fluxlit.toml").is_file()
    # Without a floor pip would choose the last version that is no pre-release, which is another.
    assert (tmp_path / "order-desk/requirements.txt").read_text() == f"fluxlit>={__version__}\n"


@pytest.mark.parametrize("profile", PROFILES)
def test_the_code_is_in_good_form(profile: str, tmp_path: Path) -> None:
    new("order-desk", "--profile", profile)
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        pytest.skip("ruff is not installed")
    common = ["--isolated", "--line-length", "100", str(tmp_path)]
    subprocess.run([ruff, "format", "--check", "-q", *common], check=True, timeout=30)
    rules = ["--select", "E,F,I,UP,B,SIM,S,PT", "--ignore", "S101,S106"]
    subprocess.run([ruff, "check", "-q", *rules, *common], check=True, timeout=30)


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("there",), 1, "exists already"),
        (("1desk",), 1, "cannot be a project's name"),
        (("a b",), 1, "cannot be a project's name"),
        (("x", "--profile", "huge"), 2, "minimal"),
        (("x", "--script", "a.py"), 2, "adopt"),
        ((), 2, "name"),
        (("there", "--profile", "adopt"), 1, "nothing to adopt"),
        (("there", "--profile", "adopt", "--script", "no.py"), 1, "no.py"),
        (("there", "--profile", "adopt", "--api", "main"), 1, "module:attribute"),
        (("there", "--profile", "adopt", "--api", "main:a b"), 1, "module:attribute"),
        (("there", "--profile", "adopt", "--api", ":app"), 1, "module:attribute"),
        (("fresh", "--profile", "adopt", "--script", "ui.py"), 1, "no folder fresh"),
        (("fresh", "--profile", "adopt", "--api", "main:app"), 1, "no folder fresh"),
    ],
)
def test_what_cannot_be_made(
    tmp_path: Path, arguments: tuple[str, ...], status: int, told: str
) -> None:
    (tmp_path / "there").mkdir()
    found, text = new(*arguments)
    assert (found, told in text) == (status, True), text
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


SCRIPT = "import streamlit as st\nst.title('Old')\n"
API = "from fastapi import FastAPI\nservice = FastAPI()\n"


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ({"old.py": SCRIPT}, Adopted(script="old.py")),
        ({"main.py": API}, Adopted(module="main", attribute="service")),
        ({"old.py": SCRIPT, "main.py": API}, Adopted("old.py", "main", "service")),
        ({"old.py": SCRIPT, "broken.py": "def"}, Adopted(script="old.py")),
        (
            {
                "old.py": "from streamlit import title",
                "app.py": "import streamlit\nfrom fluxlit import FluxLit\nx = FluxLit()",
            },
            Adopted(script="old.py"),
        ),
    ],
)
def test_what_there_is_to_adopt(tmp_path: Path, made: dict[str, str], found: Adopted) -> None:
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    assert look(tmp_path, None, None) == found


def test_a_choice_is_the_user_s(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SCRIPT)
    (tmp_path / "b.py").write_text(SCRIPT)
    with pytest.raises(FluxLitError, match=r"found a\.py, b\.py") as refused:
        look(tmp_path, None, None)
    assert "--script a.py" in refused.value.remedy
    assert look(tmp_path, "b.py", "svc:api") == Adopted("b.py", "svc", "api")


def test_adopting_touches_nothing_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(SCRIPT)
    (tmp_path / "README.md").write_text("mine")
    status, text = new(".", "--profile", "adopt")
    assert status == 0
    assert "cd ." not in text
    assert (tmp_path / "old.py").read_text() == SCRIPT
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (
        'streamlit_script=Path(__file__).parent / "old.py"'
        in (tmp_path / "fluxlit_app.py").read_text()
    )
    status, text = new(".", "--profile", "adopt", "--script", "old.py")
    assert status == 1
    assert "already has" in text


def test_a_script_in_a_folder_of_any_name_is_adopted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my.app"
    (folder / "ui").mkdir(parents=True)
    (folder / "ui/dash.py").write_text(SCRIPT)
    monkeypatch.chdir(folder)
    assert new(".", "--profile", "adopt", "--script", "ui/dash.py")[0] == 0
    file = folder / "fluxlit_app.py"
    app = runpy.run_path(str(file))["app"]
    assert app.streamlit_script == folder / "ui/dash.py"


def test_names() -> None:
    assert words_for("Order_Desk") == {
        "name": "order-desk",
        "name_": "order_desk",
        "title": "Order Desk",
    }
    assert "order-desk.service" in render(
        ("deployment/systemd",), NO_WORDS | words_for("order-desk")
    )


def run(*command: str, folder: Path, environment: dict[str, str] | None = None) -> str:
    found = subprocess.run(
        command,
        cwd=folder,
        env=clean_environment({"PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


PATHS = {
    "minimal": ("/api/users",),
    "auth-ready": (),
    "deploy": ("/api/orders",),
    "adopt": ("/api/boxes",),
}


@pytest.mark.integration
@pytest.mark.parametrize("profile", PROFILES)
def test_a_new_project_runs_and_its_tests_pass(profile: str, tmp_path: Path) -> None:
    run(FLUXLIT, "new", "order-desk", "--profile", profile, folder=tmp_path)
    folder = tmp_path / "order-desk"
    told = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder=folder)
    assert " passed" in told
    assert "skipped" not in told
    environment = {"FLUXLIT_PROXY_SECRET": "x" * 40} if profile == "auth-ready" else {}
    ready = ("/api/readyz", "/_stcore/health", *PATHS[profile])
    with running("run", directory=folder, environment=environment, ready=ready):
        pass


def settings_in(form: str, folder: Path) -> dict[str, str]:
    """The environment that a way to deploy gives to the app."""
    place = folder / "deploy"
    production = dict(
        line.split("=", 1)
        for line in (place / "production.env").read_text().splitlines()
        if line and not line.startswith("#")
    )
    match form:
        case "systemd":
            unit = (place / "order-desk.service").read_text()
            assert f"EnvironmentFile=/opt/order-desk/deploy/{'production.env'}" in unit
            said = [line for line in unit.splitlines() if line.startswith("Environment=")]
            own = dict(word.split("=", 1) for word in said[0].partition("=")[2].split())
            return {**production, "HOME": own["HOME"]}
        case "compose":
            service = yaml.safe_load((place / "compose.yaml").read_text())["services"]["order-desk"]
            assert service["env_file"] == "production.env"
            docker = (place / "Dockerfile").read_text()
            [line] = [text for text in docker.splitlines() if text.startswith("ENV ")]
            return {**production, **dict(word.split("=", 1) for word in line.split()[1:])}
    kinds = {item["kind"]: item for item in yaml.safe_load_all((place / form).read_text())}
    container = kinds["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"] == [{"configMapRef": {"name": "order-desk"}}]
    data: dict[str, str] = kinds["ConfigMap"]["data"]
    assert all(isinstance(value, str) for value in data.values())
    return data


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployed")
    run(FLUXLIT, "new", "order-desk", "--profile", "deploy", folder=folder)
    return folder / "order-desk"


@pytest.mark.integration
@pytest.mark.parametrize("form", ["systemd", "compose", "kubernetes.yaml"])
def test_the_doctor_finds_nothing_in_what_is_shipped(form: str, deployed: Path) -> None:
    environment = {**settings_in(form, deployed), "FLUXLIT_GATEWAY_PORT": "0"}
    environment.pop("HOME", None)
    seen = json.loads(
        run(FLUXLIT, "doctor", "--strict", "--json", folder=deployed, environment=environment)
    )
    assert [check for check in seen["checks"] if check["status"] != "PASS"] == []
    assert seen["status"] == "pass"
    run(FLUXLIT, "config", "--strict", folder=deployed, environment=environment)


@pytest.mark.integration
def test_a_strict_start_accepts_what_is_shipped(deployed: Path) -> None:
    environment = settings_in("compose", deployed) | {"FLUXLIT_GATEWAY_HOST": "127.0.0.1"}
    with running("run", directory=deployed, environment=environment):
        pass


@pytest.mark.integration
def test_nginx_takes_the_site(deployed: Path, tmp_path: Path) -> None:
    site = (deployed / "deploy/nginx.conf").read_text()
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"pid {tmp_path}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{site}\n}}\n"
    )
    run(nginx_program(), "-t", "-q", "-e", "stderr", "-c", str(config), folder=tmp_path)


@pytest.mark.integration
def test_systemd_takes_the_unit(deployed: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    unit = (deployed / "deploy/order-desk.service").read_text()
    sections = [line for line in unit.splitlines() if line.startswith("[")]
    assert sections == ["[Unit]", "[Service]", "[Install]"]
    if program is not None:
        # Only what is on this machine can be started by a unit that is verified.
        file = tmp_path / "order-desk.service"
        file.write_text(unit.replace("/opt/order-desk/.venv/bin/fluxlit", sys.executable))
        run(program, "verify", str(file), folder=tmp_path, environment=dict(os.environ))


@pytest.mark.integration
def test_the_manifests_fit_together(deployed: Path) -> None:
    manifests = yaml.safe_load_all((deployed / "deploy/kubernetes.yaml").read_text())
    kinds = {item["kind"]: item for item in manifests}
    assert kinds.keys() == {"ConfigMap", "Deployment", "Service", "Ingress"}
    pod = kinds["Deployment"]["spec"]["template"]
    assert kinds["Service"]["spec"]["selector"] == pod["metadata"]["labels"]
    mounts = {mount["name"] for mount in pod["spec"]["containers"][0]["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod["spec"]["volumes"]}


@pytest.mark.integration
def test_a_strict_start_refuses_what_the_doctor_would(deployed: Path) -> None:
    elsewhere = {"FLUXLIT_PUBLIC_BASE_URL": "https://order-desk.example.com/elsewhere"}
    environment = settings_in("systemd", deployed) | elsewhere
    found = subprocess.run(
        [FLUXLIT, "run", "--port", "0"],
        cwd=deployed,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 1
    assert "error: strict_startup: public_base_url_path_mismatch: " in found.stderr
    assert "try: make root_path and the path of public_base_url the same" in found.stderr
    assert "Traceback" not in found.stderr


OPENED = """
from fluxlit.pages.runner import run_site
from tests.pages.fakes import FakeStreamlit
from app import app

for secret in ("", "guessed", "x" * 40):
    st = FakeStreamlit(headers={"X-Forwarded-User": "mallory", "X-Proxy-Secret": secret})
    run_site(st, app.site(), st.menu)
    print(any("Nobody is signed in" in error for error in st.errors + st.warnings))
"""


def test_a_page_does_not_believe_whoever_names_a_user(tmp_path: Path) -> None:
    new("order-desk", "--profile", "auth-ready")
    root = str(Path(__file__).parents[2])
    told = run(
        sys.executable, "-c", OPENED, folder=tmp_path / "order-desk",
        environment={"FLUXLIT_PROXY_SECRET": "x" * 40, "PYTHONPATH": f"{root}:{root}/src"},
    )  # fmt: skip
    assert told.split() == ["True", "True", "False"]
