"""What is examined: an app that could be loaded or not, and how it would run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fluxlit._types import JsonValue
from fluxlit.app import FluxLit
from fluxlit.config.deployment import Deployment, observe
from fluxlit.config.findings import Finding
from fluxlit.exceptions import FluxLitError
from fluxlit.runtime.loading import load_app
from fluxlit.runtime.targets import choose_target, source_folder


@dataclass(frozen=True, slots=True)
class Subject:
    """One app as the command line would run it.

    Attributes:
        target: Where the app is, in full.
        folder: Where its modules are.
        failure: Why it could not be loaded; None if it could.
        strict: Whether to look at pages as ``fluxlit pages validate --strict`` does.
        environ: The environment.
    """

    target: str
    folder: Path
    failure: FluxLitError | None = None
    strict: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True, slots=True)
class Patient:
    """A subject that could be loaded.

    Attributes:
        subject: The subject.
        app: Its app, with the settings of the command line.
        deployment: How it would run.
    """

    subject: Subject
    app: FluxLit
    deployment: Deployment


Check = Callable[[Subject], Iterable[Finding]]
"""Looks at what can be seen without an app."""

AppCheck = Callable[[Patient], Iterable[Finding]]
"""Looks at a loaded app."""


def admit(
    target: str | None,
    overrides: Mapping[str, JsonValue],
    *,
    workers: int = 1,
    strict: bool = False,
) -> tuple[Subject, Patient | None]:
    """Load what is to be examined; not being able to is a finding, too.

    Args:
        target: As it was said; None for the project file's.
        overrides: Settings that flags said.
        workers: How many gateway workers there would be.
        strict: Whether to look at pages strictly.
    """
    chosen, folder = target or "", Path.cwd()
    try:
        named = choose_target(target)
        chosen, folder = str(named), source_folder(named)
        app = load_app(chosen, overrides)
    except FluxLitError as exc:
        return Subject(chosen, folder, failure=exc), None
    subject = Subject(chosen, folder, strict=strict)
    return subject, Patient(
        subject, app, observe(app.settings, workers=workers, store=app.session_store)
    )
