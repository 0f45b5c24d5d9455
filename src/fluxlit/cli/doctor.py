"""``fluxlit doctor``: what would run here, and what is wrong with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from fluxlit._credentials import without_password
from fluxlit.cli.flags import (
    Binding,
    JsonOption,
    Mode,
    Proxies,
    Scale,
    TargetArgument,
)
from fluxlit.cli.output import Paint, out
from fluxlit.cli.spreading import spread

if TYPE_CHECKING:
    from fluxlit.config.findings import Finding
    from fluxlit.diagnostics.report import Report
    from fluxlit.diagnostics.subject import Patient


def _switch(name: str, text: str, *more: str) -> object:
    return typer.Option(name, *more, help=text, show_default=False)


@spread
def doctor(  # noqa: PLR0913, PLR0917 - one parameter an option
    binding: Binding,
    scale: Scale,
    proxies: Proxies,
    mode: Mode,
    target: TargetArgument = None,
    as_json: JsonOption = False,
    verbose: Annotated[bool, _switch("--verbose", "Tell more about the app.", "-v")] = False,
    strict: Annotated[bool, _switch("--strict", "A warning is a failure.")] = False,
    warnings_only: Annotated[
        bool, _switch("--warnings-only", "Exit with 0 whatever is found.")
    ] = False,
    check_pages: Annotated[bool, _switch("--check-pages", "Look at the pages, too.")] = False,
    live: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Examine the running service at this public address, too.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Examine an app and this machine, or a running service.

    Takes flags of `fluxlit run`. Exit status: 1 if something failed.

    Example: fluxlit doctor app:app --strict --live https://desk.example/app
    """
    if live is not None and not live.startswith(("http://", "https://")):
        raise typer.BadParameter("write http://... or https://...", param_hint="--live")
    if live is not None and ("?" in live or "#" in live):
        raise typer.BadParameter("write the app's address without a query", param_hint="--live")
    from fluxlit.diagnostics.doctor import diagnose  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.diagnostics.report import Report, describe  # noqa: PLC0415
    from fluxlit.diagnostics.subject import admit  # noqa: PLC0415

    groups = (mode, binding, proxies, scale)
    overrides = {name: value for group in groups for name, value in group.overrides().items()}
    subject, patient = admit(
        target, overrides, workers=scale.workers, strict=strict and check_pages
    )
    is_far = live is not None and target is None and patient is None  # no app here, none is meant
    wanted = check_pages or verbose
    found = [] if is_far else diagnose(subject, patient, check_pages=wanted, is_running=bool(live))
    if live is not None:
        found += _examine(live, patient)
    report = Report(
        without_password(live or "") if is_far else subject.target,
        tuple(finding.strictly() if strict else finding for finding in found),
        warnings_only=warnings_only,
        verbose=describe(subject, patient) if verbose else None,
    )
    if as_json:
        out(json.dumps(report.to_json(), indent=2))
    else:
        _print(report)
    if report.exit_status:
        raise typer.Exit(report.exit_status)


def _examine(url: str, patient: Patient | None) -> list[Finding]:
    """Look at the running service; where it is the target, its settings say what to expect."""
    from fluxlit.diagnostics.live import Place, examine  # noqa: PLC0415 - only --live needs it

    if patient is None:
        return list(examine(Place.at(url)))
    settings = patient.app.settings
    place = Place.at(url, settings.api_prefix(), settings.ui_base())
    return list(examine(place, settings.public_mount_path()))


def _print(report: Report) -> None:
    paint = Paint.for_output()
    out(f"FluxLit doctor: {report.target}\n")
    for finding in report.findings:
        out(f"{paint.level(finding.level)}  {finding.row}: {finding.message}")
        if finding.remedy:
            where = f"  ({finding.doc})" if finding.doc else ""
            out(f"      try: {finding.remedy}{where}")
    if report.verbose is not None:
        out("\nVerbose (effective configuration, without secrets)")
        for name, value in report.verbose.items():
            out(f"  {name}: {json.dumps(value, ensure_ascii=False)}")
    out(f"\n{report.summary()}")
