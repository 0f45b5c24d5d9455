"""``fluxlit new``: a project that runs, with tests that pass."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fluxlit.cli.output import note, out


class Profile(StrEnum):
    """What a new project is for."""

    MINIMAL = "minimal"
    AUTH_READY = "auth-ready"
    DEPLOY = "deploy"
    ADOPT = "adopt"


def new(
    name: Annotated[str, typer.Argument(help="The folder to make, such as order-desk.")],
    profile: Annotated[Profile, typer.Option(help="What it is for; see above.")] = Profile.MINIMAL,
    script: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="adopt: the Streamlit script.", show_default=False),
    ] = None,
    api: Annotated[
        str | None,
        typer.Option(metavar="MODULE:NAME", help="adopt: the FastAPI app.", show_default=False),
    ] = None,
) -> None:
    """Make a project that runs, with tests that pass and a README.

    \b
    minimal     an API and a page
    auth-ready  people come through a login proxy, programs with a token
    deploy      with nginx, systemd, Docker and Kubernetes files
    adopt       around the Streamlit script or FastAPI app of a folder

    Example: fluxlit new order-desk --profile deploy
    """  # noqa: D301 - \b is for the help's formatter: leave the next lines as they are
    from fluxlit.cli.scaffold import render, words_for, write  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.exceptions import FluxLitError  # noqa: PLC0415

    folder = Path(name)
    if profile is Profile.ADOPT:
        folders, words = _adopted(folder, script, api)
    elif script or api:
        raise typer.BadParameter("--script and --api are for --profile adopt")
    elif folder.exists():
        raise FluxLitError(f"{folder} exists already", remedy="choose another name")
    else:
        folders, words = ("common", profile.value), words_for(folder.resolve().name)
    texts = render(folders, words)
    if profile is Profile.DEPLOY:
        texts |= {f"deploy/{name}": text for name, text in _deployment(words["name"]).items()}
    write(folder, texts)
    out(f"Made {folder} from the profile {profile.value}.")
    note("  fluxlit dev" if folder == Path() else f"  cd {folder} && fluxlit dev")


def _deployment(name: str) -> dict[str, str]:
    """Return what ``fluxlit build -o deploy --with all`` would write for a new project."""
    from fluxlit.cli.deployment import (  # noqa: PLC0415 - only this profile needs it
        KINDS,
        Places,
        Project,
        deployment_files,
        words_of,
    )
    from fluxlit.config import FluxlitSettings  # noqa: PLC0415

    settings = FluxlitSettings.model_construct()  # the defaults, whatever is set in this shell
    project = Project(name, requirements="fluxlit\n")
    return deployment_files(KINDS, words_of(settings, project, Places("deploy/", "..")))


def _adopted(
    folder: Path, script: str | None, api: str | None
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Choose the templates around what a folder holds; a new folder gets something to adopt."""
    from fluxlit.cli.adopt import Adopted, look  # noqa: PLC0415 - only this profile needs it
    from fluxlit.cli.scaffold import words_for  # noqa: PLC0415
    from fluxlit.exceptions import FluxLitError  # noqa: PLC0415

    if folder.exists():
        return ("adopt",), look(folder, script, api).words()
    if script or api:
        msg = f"there is no folder {folder}"
        raise FluxLitError(msg, remedy="--script and --api name what an existing one holds")
    sample = Adopted(script="dashboard.py", module="service", attribute="api")
    words = words_for(folder.resolve().name) | sample.words()
    return ("common", "adopt", "adopt-sample"), words
