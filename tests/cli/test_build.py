from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest
from tests.cli.conftest import schema
from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess, clean_environment
from typer.testing import CliRunner

from fluxlit._version import __version__
from fluxlit.cli import app
from fluxlit.cli.deployment import KINDS, Places, Project
from fluxlit.exceptions import FluxLitError, StartupError
from fluxlit.frontend.cache import Job, open_cache
from fluxlit.frontend.coding import CODINGS

FILES = {
    "compose": "compose.yaml",
    "nginx": "nginx.conf",
    "caddy": "Caddyfile",
    "haproxy": "haproxy.cfg",
    "systemd": "order-desk.service",
    "kubernetes": "kubernetes.yaml",
}


def build(*arguments: str, **environment: str) -> dict[str, object]:
    runner = CliRunner(env=environment)
    result = runner.invoke(app, ["build", "--json", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    jsonschema.validate(found, schema("build"))
    assert isinstance(found, dict)
    return found


def assets(folder: Path) -> dict[str, object]:
    found = build("--assets", FLUXLIT_CACHE_DIR=str(folder))
    assert found["files"] == []
    made = found["assets"]
    assert isinstance(made, dict)
    return made


def touch_copies(folder: Path, *, but: int = 0) -> None:
    """Make it look as if the copies were made; making them all would take half a minute."""
    cache, files = open_cache(folder)
    for job in cache.missing(files)[but:]:
        path = cache.directory / f"{job.file.name}{job.coding.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_assets_makes_what_is_missing_and_a_service_finds_it(tmp_path: Path) -> None:
    cache, files = open_cache(tmp_path)
    jobs = cache.missing(files)
    touch_copies(tmp_path, but=3)
    result = assets(tmp_path)
    assert (result["directory"], result["made"]) == (str(cache.directory), 3)
    assert cache.missing(files) == []
    copies = [cache.read(job, job.file.source.read_bytes()) for job in jobs[:3]]
    assert sum(len(copy or b"") for copy in copies) == result["bytes"]
    assert assets(tmp_path)["made"] == 0
    for path in cache.directory.rglob("*"):  # an image is built by one user and run by another
        assert path.stat().st_mode & 0o044 == 0o044 or path.suffix == ".lock", path


def test_assets_says_when_there_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match="cannot make copies"):
        assets(tmp_path / "file")


def test_assets_leaves_a_cache_alone_that_somebody_fills(tmp_path: Path) -> None:
    cache, files = open_cache(tmp_path)
    with cache.alone(), pytest.raises(StartupError, match="another process"):
        assets(tmp_path)
    assert Job(files[0], CODINGS[0]) in cache.missing(files)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an app that has been imported by nobody."""
    for name in list(os.environ):
        if name.startswith("FLUXLIT_") or name == "PUBLIC_BASE_URL":
            monkeypatch.delenv(name)
    folder = tmp_path / "order-desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_without_a_word_it_writes_an_image(folder: Path) -> None:
    assert build()["files"] == [".dockerignore", "Dockerfile"]
    docker = (folder / "Dockerfile").read_text()
    assert 'CMD ["fluxlit", "run"]' in docker
    assert f"pip install 'fluxlit>={__version__}'" in docker
    assert "USER 1000" in docker
    assert "docker build -f Dockerfile -t order-desk ." in docker
    assert "{{" not in docker
    ignored = (folder / ".dockerignore").read_text().splitlines()
    assert {".env", "**/*.env", "**/.streamlit/secrets.toml"} <= set(ignored)


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        (["--with", "nginx,systemd"], ["nginx", "systemd"]),
        (["--with", "Caddy", "--with", "haproxy"], ["caddy", "haproxy"]),
        (["--with", "kubernetes"], ["kubernetes"]),
        (["--with", "all"], KINDS),
    ],
)
def test_more_is_written_where_it_is_asked_for(
    said: list[str], kinds: list[str], folder: Path
) -> None:
    files = build("-o", "deploy", *said)["files"]
    wanted = {".dockerignore", "Dockerfile", "Dockerfile.dockerignore"}
    wanted |= {FILES[kind] for kind in kinds}
    wanted |= {"production.env"} if kinds != ["kubernetes"] else set()
    assert files == sorted(f"deploy/{name}" for name in wanted)
    assert {path.name for path in (folder / "deploy").iterdir()} == wanted


@pytest.mark.parametrize("there", ["Dockerfile", "order-desk.service"])
def test_nothing_is_overwritten_and_then_nothing_written(there: str, folder: Path) -> None:
    (folder / there).write_text("mine")
    with pytest.raises(FluxLitError, match=f"already has {re.escape(there)}") as refused:
        build("--with", "systemd")
    assert "--force" in refused.value.remedy
    assert [path.name for path in folder.iterdir()] == [there]
    build("--with", "systemd", "--force")
    assert (folder / there).read_text() != "mine"


def test_a_kind_that_does_not_exist(folder: Path) -> None:
    result = CliRunner().invoke(app, ["build", "--with", "nginx,heroku"])
    assert result.exit_code == 2
    assert "'heroku' is none of compose, nginx," in result.output
    assert list(folder.iterdir()) == []


def test_the_files_say_what_the_app_s_settings_are(folder: Path) -> None:
    (folder / "desk.py").write_text(
        "from fluxlit import FluxLit, FluxlitSettings\n"
        "app = FluxLit(title='Größe & Co', settings=FluxlitSettings("
        "api_mount_path='/v1', root_path='/desk', gateway_port=9000,"
        "public_base_url='https://a.example/desk',"
        "streamlit_run_cli_args=['--server.maxUploadSize=1000']))\n"
    )
    build("desk.py", "--with", "all")
    docker = (folder / "Dockerfile").read_text()
    assert "http://127.0.0.1:9000/desk/v1/readyz" in docker
    assert "EXPOSE 9000" in docker
    assert 'CMD ["fluxlit", "run", "desk.py"]' in docker
    nginx = (folder / "nginx.conf").read_text()
    for line in ("location /desk/ {", "server_name a.example;", "client_max_body_size 1100m;"):
        assert line in nginx
    settings = (folder / "production.env").read_text().splitlines()
    assert "FLUXLIT_PUBLIC_BASE_URL=https://a.example/desk" in settings
    assert "FLUXLIT_ROOT_PATH=/desk" in settings
    assert f"FLUXLIT_GATEWAY_MAX_PROXY_REQUEST_BODY_BYTES={1100 << 20}" in settings
    assert "run desk.py --no-pidfile" in (folder / "gr-e-co.service").read_text()


def test_an_app_that_cannot_be_imported_here_is_told_and_has_its_folder_s_settings(
    folder: Path,
) -> None:
    (folder / "app.py").write_text("import nothing_of_that_name")
    (folder / "fluxlit.toml").write_text("gateway_port = 9000\n")
    result = CliRunner().invoke(app, ["build"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "settings in the app's code are not known" in result.stderr
    assert "EXPOSE 9000" in (folder / "Dockerfile").read_text()


@pytest.mark.parametrize(
    ("files", "installs", "builds"),
    [
        ({}, ["pip install 'fluxlit>="], False),
        ({"requirements.txt": "fluxlit==1\n"}, ["-r requirements.txt\n"], False),
        ({"requirements.txt": "FastAPI\n"}, ["-r requirements.txt 'fluxlit>="], False),
        ({"requirements.txt": "fluxlit-more==1"}, ["-r requirements.txt 'fluxlit>="], False),
        ({"requirements.txt": "fluxlit[auth]~=1.0"}, ["-r requirements.txt\n"], False),
        ({"requirements.txt": "\ufefffluxlit"}, ["-r requirements.txt\n"], False),
        ({"pyproject.toml": "[tool.x]"}, ["pip install 'fluxlit>="], False),
        ({"pyproject.toml": "[project]"}, ["COPY pyproject.toml ./", "tomllib"], False),
        ({"pyproject.toml": "[project]\n[build-system]"}, ["tomllib"], True),
        ({"pyproject.toml": "[project]", "uv.lock": ""}, ["uv export", "toml uv.lock"], False),
        ({"pyproject.toml": "broken ="}, ["pip install 'fluxlit>="], False),
    ],
)  # fmt: skip
def test_how_what_the_app_needs_is_installed(
    files: dict[str, str], installs: list[str], builds: bool, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    project = Project.look(tmp_path, "Desk")
    for text in installs:
        assert text in f"{project.install()}\n"
    assert project.is_package is builds


@pytest.mark.parametrize("coding", ["utf-16", "latin-1"])
def test_requirements_as_other_editors_write_them(coding: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("# für alle\nfluxlit\n".encode(coding))
    assert "-r requirements.txt\n" in f"{Project.look(tmp_path, '').install()}\n"


def test_a_target_with_a_quote_is_one_word_of_the_command(folder: Path) -> None:
    build('a"b.py:app')
    [command] = re.findall(r"^CMD (.*)$", (folder / "Dockerfile").read_text(), re.MULTILINE)
    assert json.loads(command) == ["fluxlit", "run", 'a"b.py:app']


@pytest.mark.parametrize(
    ("title", "folder", "name"),
    [
        ("Order Desk!", "x", "order-desk"),
        ("", "Order_Desk", "order-desk"),
        ("2030", "desk", "desk"),
        ("報告", "2030", "app"),
    ],
)
def test_what_an_app_is_called(title: str, folder: str, name: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    assert Project.look(tmp_path / folder, title).name == name


def test_where_files_lie_to_each_other(tmp_path: Path) -> None:
    assert Places.between(tmp_path, tmp_path) == Places("", ".")
    assert Places.between(tmp_path, tmp_path / "a/b") == Places("a/b/", "../..")
    assert Places.between(tmp_path / "a", tmp_path / "b") == Places("../b/", "../a")


@dataclass
class Image:
    """Does what a Dockerfile says, in a folder of this machine instead of an image."""

    context: Path
    workdir: Path
    environment: dict[str, str] = field(default_factory=dict)
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    user: str = "root"
    ran: list[str] = field(default_factory=list)

    def follow(self, dockerfile: Path) -> None:
        lines = dockerfile.read_text().splitlines()
        for line in lines:
            if line and not line.startswith("#"):
                self.instruct(*line.split(" ", 1))

    def instruct(self, word: str, rest: str) -> None:
        match word:
            case "FROM":
                assert re.fullmatch(r"python:3\.\d+-slim", rest)
            case "ENV":
                self.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
                self.environment["FLUXLIT_CACHE_DIR"] = str(self.workdir / ".cache")
                touch_copies(self.workdir / ".cache")
            case "COPY":
                *sources, target = rest.split()
                for source in sources:
                    self.copy(self.context / source, self.workdir / target)
            case "RUN":
                self.run(rest)
            case "HEALTHCHECK":
                self.health = json.loads(rest.partition(" CMD ")[2])
            case "CMD":
                self.command = json.loads(rest)
            case "USER":
                self.user = rest
            case _:
                assert word in {"WORKDIR", "EXPOSE", "STOPSIGNAL"}, word

    def copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)

    def run(self, text: str) -> None:
        assert self.user == "root"
        command = text.removeprefix("--mount=type=cache,target=/root/.cache/pip ")
        command = command.replace("/tmp/", f"{self.workdir}/.")
        self.ran.append(command)
        if command.startswith("useradd"):  # not on this machine
            return
        subprocess.run(
            command, shell=True, cwd=self.workdir, env=self.env(), check=True, timeout=90
        )

    def env(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        offline = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PATH": path}
        return clean_environment({**self.environment, **offline})


APP = """
from fluxlit import FluxLit
app = FluxLit(title="Order Desk")

@app.page("/")
def home(st):
    st.title("Orders")
"""


@pytest.fixture
def image(folder: Path, tmp_path: Path) -> Image:
    (folder / "orders_of_image.py").write_text(APP)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "desk"\ndependencies = ["pydantic"]\n'
    )
    workdir = tmp_path / "app"
    workdir.mkdir()
    return Image(folder, workdir)


@pytest.mark.integration
def test_what_the_dockerfile_says_can_be_done_and_leads_to_a_healthy_service(
    image: Image, tmp_path: Path
) -> None:
    port = free_port()
    build("orders_of_image:app", FLUXLIT_GATEWAY_PORT=str(port))
    image.follow(image.context / "Dockerfile")
    assert "fluxlit build --assets" in image.ran
    assert image.user == "1000"

    def health() -> int:
        command = [sys.executable, *image.health[1:]]
        return subprocess.run(command, check=False, capture_output=True, timeout=20).returncode

    assert health() != 0
    run_root = tmp_path / "run"
    program = str(Path(sys.executable).with_name(image.command[0]))
    server = ServerProcess(
        [program, *image.command[1:]],
        directory=image.workdir,
        log=tmp_path / "output.log",
        environment={**image.environment, "FLUXLIT_RUN_DIR": str(run_root)},
    )
    try:
        server.wait_until_ready([Probe(port, "/api/readyz")])
        assert health() == 0
        server.stop()
    finally:
        server.kill()
