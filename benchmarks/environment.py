"""What the contestants need around them: load generator, web server, the published release.

``fluxlit==0.13.2`` pins an older FastAPI, so it lives in a virtual environment of its own below
``.bench/``, made once.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / ".bench"
PUBLISHED = "fluxlit==0.13.2"

_VERSIONS_OF = (
    "fastapi",
    "fluxlit",
    "httptools",
    "pandas",
    "protobuf",
    "pyarrow",
    "starlette",
    "streamlit",
    "uvicorn",
    "uvloop",
)
_PRINT_VERSIONS = f"""
import importlib.metadata, json, platform
found = {{"python": platform.python_version()}}
for name in {_VERSIONS_OF!r}:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


class MissingToolError(Exception):
    """A program that a contestant or a case needs is not there; the text says how to get it."""


@dataclass(frozen=True, slots=True)
class Tool:
    """An external program and the Debian package that brings it."""

    name: str
    package: str

    def path(self) -> str:
        """Return where the program is.

        Raises:
            MissingToolError: It is not installed.
        """
        # Debian keeps servers in /usr/sbin, which a user's search path may lack.
        found = shutil.which(self.name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if found is None:
            msg = f"{self.name} is missing: apt-get install {self.package}"
            raise MissingToolError(msg)
        return found

    def version(self) -> str:
        """Return the first line that the program says about its version, or "missing"."""
        try:
            answer = subprocess.run(
                [self.path(), "-v"], capture_output=True, text=True, check=False
            )
        except MissingToolError:
            return "missing"
        return (answer.stdout + answer.stderr).strip().splitlines()[0]


WRK = Tool("wrk", "wrk")
NGINX = Tool("nginx", "nginx-light")
CHROMIUM = Tool("chromium-headless-shell", "chromium-headless-shell")


def scripts_of(python: Path) -> Path:
    """Return the folder of an interpreter's commands."""
    return python.parent


def this_python() -> Path:
    """Return the interpreter that runs the benchmark, which is that of all current contestants."""
    return Path(sys.executable)


def published_python() -> Path:
    """Return the interpreter of the published release, made on first use.

    Raises:
        MissingToolError: The release could not be installed.
    """
    folder = BENCH / "venv-0.13"
    python = folder / "bin" / "python"
    complete = folder / ".complete"
    if complete.exists():
        return python
    print(f"installing {PUBLISHED} into {folder.relative_to(ROOT)}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", PUBLISHED], check=True)
    except subprocess.CalledProcessError as error:
        msg = f"{PUBLISHED} could not be installed: {error}"
        raise MissingToolError(msg) from error
    complete.touch()
    return python


def versions(python: Path) -> dict[str, str]:
    """Return the versions of what matters in an interpreter's environment."""
    answer = subprocess.run(
        [str(python), "-c", _PRINT_VERSIONS], capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(answer.stdout)
    return found


def machine() -> dict[str, str]:
    """Return the kind of machine, in general words."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": str(os.cpu_count()),
    }
