"""``fluxlit config``: what is configured, by whom, and what is doubtful about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fluxlit.cli.flags import (
    Binding,
    JsonOption,
    Mode,
    Proxies,
    Scale,
)
from fluxlit.cli.output import Paint, out
from fluxlit.cli.spreading import spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluxlit._types import JsonValue
    from fluxlit.app import FluxLit
    from fluxlit.config.deployment import Deployment
    from fluxlit.config.findings import Finding
    from fluxlit.config.provenance import Origin

SCHEMA = "schema"
"""In place of a target: the schema of the project file. No target looks like that."""


def _setting_names() -> list[str]:
    from fluxlit.config import FluxlitSettings  # noqa: PLC0415 - only completion needs it

    return list(FluxlitSettings.model_fields)


SchemaArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="app",
        help="With `schema`: a target whose own settings are to be in it, too.",
        show_default=False,
    ),
]
ExplainOption = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="Tell all about one setting: what it does, its value and every source.",
        autocompletion=_setting_names,
        show_default=False,
    ),
]


@spread
def config(  # noqa: PLR0913, PLR0917 - one parameter an option
    binding: Binding,
    scale: Scale,
    proxies: Proxies,
    mode: Mode,
    target: Annotated[
        str | None,
        typer.Argument(
            help="As for `fluxlit run`; or `schema`, for the JSON schema of fluxlit.toml.",
            show_default=False,
        ),
    ] = None,
    app_of_schema: SchemaArgument = None,
    as_json: JsonOption = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 on a warning, too.", show_default=False)
    ] = False,
    explain: ExplainOption = None,
) -> None:
    """Show every setting with its value and its source.

    And what is doubtful about them. Takes flags of `fluxlit run`, to see what they would do.
    Exit status: 1 on an error, with --strict also on a warning.

    Example: fluxlit config app:app --strict
    """
    if target == SCHEMA:
        _print_schema(app_of_schema)
        return
    if app_of_schema is not None:
        raise typer.BadParameter("one target, please", param_hint="APP")
    from fluxlit.config.deployment import observe  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.config.findings import Level, worst  # noqa: PLC0415
    from fluxlit.config.rules import judge  # noqa: PLC0415
    from fluxlit.config.snapshot import located_origins  # noqa: PLC0415
    from fluxlit.runtime.loading import load_app  # noqa: PLC0415
    from fluxlit.runtime.targets import choose_target  # noqa: PLC0415

    groups = (mode, binding, proxies, scale)
    flags = {name: value for group in groups for name, value in group.overrides().items()}
    chosen = str(choose_target(target))
    app = load_app(chosen, flags)
    if explain is not None:
        _explain(explain, app, as_json=as_json)
        return
    deployment = observe(app.settings, workers=scale.workers, store=app.session_store)
    findings = judge(deployment)
    origins = located_origins(app.settings, Path.cwd())
    if as_json:
        out(json.dumps(_payload(chosen, deployment, origins, findings), indent=2))
    else:
        _print(chosen, deployment, origins, findings)
    if worst(findings) >= (Level.WARNING if strict else Level.ERROR):
        raise typer.Exit(1)


def _print_schema(target: str | None) -> None:
    from fluxlit.config import FluxlitSettings  # noqa: PLC0415 - only this needs it
    from fluxlit.config.schema import project_file_schema  # noqa: PLC0415

    settings_cls = FluxlitSettings
    if target is not None:
        from fluxlit.runtime.loading import load_app  # noqa: PLC0415

        settings_cls = type(load_app(target).settings)
    out(json.dumps(project_file_schema(settings_cls), indent=2))


def _payload(
    target: str, deployment: Deployment, origins: Mapping[str, Origin], findings: list[Finding]
) -> dict[str, JsonValue]:
    from fluxlit.config.project import load_project_config  # noqa: PLC0415
    from fluxlit.config.snapshot import configuration_payload  # noqa: PLC0415

    return configuration_payload(target, deployment, origins, load_project_config(), findings)


def _print(
    target: str, deployment: Deployment, origins: Mapping[str, Origin], findings: list[Finding]
) -> None:
    from fluxlit.config.provenance import Kind  # noqa: PLC0415
    from fluxlit.config.snapshot import redacted_settings  # noqa: PLC0415

    paint = Paint.for_output()
    values = redacted_settings(deployment.settings)
    width = max(map(len, values))
    out(f"FluxLit effective configuration of {target}\n")
    for is_default in (False, True):
        for name, value in values.items():
            origin = origins[name]
            if (origin.kind is Kind.DEFAULT) is is_default:
                row = f"  {name:<{width}}  {_text(value):<16}  {origin}"
                out(paint.dim(row) if is_default else row)
    if findings:
        out("\nWarnings:")
    for finding in findings:
        out(f"  {paint.level(finding.level)}  {finding.name}: {finding.message}")
        out(f"        try: {finding.remedy}  ({finding.doc})")


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _explain(key: str, app: FluxLit, *, as_json: bool) -> None:
    """Tell all about one setting."""
    from fluxlit.config.explain import explain  # noqa: PLC0415 - only this needs it
    from fluxlit.exceptions import ConfigurationError  # noqa: PLC0415

    try:
        told = explain(key, app.settings, Path.cwd())
    except ConfigurationError as exc:
        raise typer.BadParameter(f"{exc}; {exc.remedy}", param_hint="--explain") from None
    if as_json:
        out(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for label, value in told.items():
        is_value = label in {"default", "value"}
        for text in value if isinstance(value, list) and not is_value else [value]:
            out(f"{label:<9} {json.dumps(text, ensure_ascii=False) if is_value else text}")
