"""``fluxlit build``: what a deployment needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fluxlit.cli.flags import JsonOption, TargetArgument
from fluxlit.cli.output import note, out

if TYPE_CHECKING:
    from fluxlit._types import JsonValue
    from fluxlit.config import FluxlitSettings

ALL: Final = "all"


OutputOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Where the files go.")
]
KindsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="KIND",
        help="What else to write; several with commas, or all.",
        show_default=False,
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", "-f", help="Replace files that are there.", show_default=False)
]
AssetsOption = Annotated[
    bool,
    typer.Option("--assets", help="Only compress the UI's files ahead.", show_default=False),
]


def build(
    target: TargetArgument = None,
    output: OutputOption = Path(),
    kinds: KindsOption = None,
    force: ForceOption = False,
    assets: AssetsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a Dockerfile, and what else a deployment needs.

    \b
    nginx, caddy, haproxy  the site of a proxy in front
    systemd                a service with a user of its own and no rights
    compose                Docker Compose, with a read-only container
    kubernetes             manifests with probes and an orderly end

    With --assets, no files: it compresses the UI's files for the first visit, as that Dockerfile
    has it do. They go to FLUXLIT_CACHE_DIR, else to your cache folder.

    Example: fluxlit build app:app -o deploy --with nginx,systemd
    """  # noqa: D301 - \b is for the help's formatter: leave the next lines as they are
    from fluxlit.cli.scaffold import write  # noqa: PLC0415 - `--help` needs none of it

    if assets:
        from fluxlit.cli.copies import make_copies  # noqa: PLC0415

        made = make_copies()
        if as_json:
            out(json.dumps({"files": [], "assets": made}))
        else:
            size, seconds, where = made["bytes"], made["seconds"], made["directory"]
            megabytes = f"{float(str(size)) / 1e6:.1f} MB"
            note(f"{made['made']} copies ({megabytes}) made in {seconds} s: {where}")
        return
    texts = _texts(target, output, _chosen(kinds or []))
    write(output, texts, force=force, remedy="--force replaces them; -o names another folder")
    written: list[JsonValue] = [(output / name).as_posix() for name in sorted(texts)]
    if as_json:
        out(json.dumps({"files": written, "assets": None}))
        return
    for path in written:
        out(str(path))
    note("  each file begins with how it is used")


def _chosen(said: list[str]) -> list[str]:
    """Read what stands after --with.

    Raises:
        typer.BadParameter: There is no such kind.
    """
    from fluxlit.cli.deployment import KINDS  # noqa: PLC0415 - `--help` needs none of it

    words = [word.strip().lower() for part in said for word in part.split(",") if word.strip()]
    unknown = [word for word in words if word not in {*KINDS, ALL}]
    if unknown:
        msg = f"{unknown[0]!r} is none of {', '.join(KINDS)}, {ALL}."
        raise typer.BadParameter(msg, param_hint="--with")
    return list(KINDS) if ALL in words else words


def _texts(target: str | None, output: Path, kinds: list[str]) -> dict[str, str]:
    from fluxlit.cli.deployment import (  # noqa: PLC0415 - `--help` needs none of it
        Places,
        Project,
        deployment_files,
        words_of,
    )
    from fluxlit.config.deployment import observe  # noqa: PLC0415

    settings = _settings(target)
    folder = Path.cwd()
    title = settings.title if "title" in settings.model_fields_set else ""
    words = words_of(
        settings,
        Project.look(folder, title),
        Places.between(folder, output.resolve()),
        target=target or "",
        streamlit=observe(settings).streamlit,
    )
    return deployment_files(kinds, words)


def _settings(target: str | None) -> FluxlitSettings:
    """Return the app's settings; of one that cannot be imported here, those of its folder."""
    from fluxlit.config import load_settings  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.exceptions import TargetError  # noqa: PLC0415
    from fluxlit.runtime.loading import load_app  # noqa: PLC0415
    from fluxlit.runtime.targets import choose_target  # noqa: PLC0415

    try:
        return load_app(str(choose_target(target))).settings
    except TargetError as exc:
        note(f"  settings in the app's code are not known: {str(exc).splitlines()[0]}")
        return load_settings()
