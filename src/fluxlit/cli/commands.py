"""The tree of commands, with what holds for all of them."""

from __future__ import annotations

from typing import Annotated

import typer

from fluxlit._version import __version__
from fluxlit.cli import build, config, doctor, new, pages, reload, serve, shutdown

app = typer.Typer(
    name="fluxlit",
    no_args_is_help=True,
    rich_markup_mode=None,  # its tables cut option names short in a terminal of 80 columns
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="One app object, one command, one port: a FastAPI API and a Streamlit UI together.",
    epilog="Start with `fluxlit demo`, or write app.py and run `fluxlit dev`.",
)
app.command()(new.new)
app.command()(serve.dev)
app.command()(serve.run)
app.command()(serve.ui)
app.command()(serve.workbench)
app.command()(serve.demo)
app.command()(config.config)
app.command()(doctor.doctor)
app.command()(reload.reload)
app.command()(shutdown.shutdown)
app.command()(build.build)
app.add_typer(pages.app, name="pages")


VERSIONS_THAT_MATTER = ("streamlit", "fastapi", "starlette", "uvicorn", "pydantic")


def _show_version(wanted: bool) -> None:
    if not wanted:
        return
    import platform  # noqa: PLC0415 - nothing else here needs them
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    typer.echo(f"fluxlit {__version__}")
    typer.echo(f"  {'python':<10} {platform.python_version()} on {platform.system()}")
    for name in VERSIONS_THAT_MATTER:
        try:
            typer.echo(f"  {name:<10} {version(name)}")
        except PackageNotFoundError:
            typer.echo(f"  {name:<10} missing")
    raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Print the versions that matter.",
        ),
    ] = False,
) -> None:
    pass
