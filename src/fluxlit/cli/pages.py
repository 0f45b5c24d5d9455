"""``fluxlit pages``: what the pages of an app are, and whether something is wrong with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from fluxlit.cli.flags import TargetArgument
from fluxlit.cli.output import out

if TYPE_CHECKING:
    from fluxlit.app import FluxLit

app = typer.Typer(no_args_is_help=True, help="Describe and check the pages of an app.")

TargetOption = Annotated[
    str | None,
    typer.Option("--target", metavar="TARGET", help="The same by name.", show_default=False),
]


@app.command()
def manifest(
    target: TargetArgument = None,
    named: TargetOption = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print its JSON schema.")] = False,
) -> None:
    """Print the page manifest as JSON.

    Example: fluxlit pages manifest app:app > pages.json
    """
    from fluxlit.pages.manifest import build_page_manifest, manifest_schema  # noqa: PLC0415

    found = manifest_schema() if schema else build_page_manifest(_load(target, named))
    out(json.dumps(found, indent=2, ensure_ascii=False))


@app.command()
def validate(
    target: TargetArgument = None,
    named: TargetOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Tell of parameters that are not declared, too.")
    ] = False,
) -> None:
    """Print what is wrong with the pages, a line each.

    Exit status: 1 if anything is.

    Example: fluxlit pages validate app:app --strict
    """
    from fluxlit.pages.validate import validate_fluxlit_pages  # noqa: PLC0415

    problems = validate_fluxlit_pages(_load(target, named), strict_signatures=strict or None)
    for problem in problems:
        out(problem)
    if problems:
        raise typer.Exit(1)


def _load(target: str | None, named: str | None) -> FluxLit:
    if target is not None and named is not None:
        raise typer.BadParameter("the target is given already", param_hint="--target")
    from fluxlit.runtime.loading import load_app  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.runtime.targets import choose_target  # noqa: PLC0415

    return load_app(str(choose_target(target or named)))
