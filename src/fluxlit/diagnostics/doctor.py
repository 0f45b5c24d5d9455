"""The checks in their order, and how they are run."""

from __future__ import annotations

from typing import Final

from fluxlit.config.findings import Finding
from fluxlit.diagnostics import configuration, imports, installation, pages, system, upstreams
from fluxlit.diagnostics.subject import AppCheck, Check, Patient, Subject

CHECKS: Final[tuple[Check, ...]] = (
    imports.python_version,
    imports.sys_path_head,
    imports.import_shadowing,
    imports.import_target,
    imports.import_module_file,
    installation.dependencies,
    installation.streamlit_version,
    installation.streamlit_seams,
    system.run_directory,
    system.open_files,
    configuration.leftovers,
    configuration.advice,
)
"""What can be looked at without an app."""

APP_CHECKS: Final[tuple[AppCheck, ...]] = (
    system.gateway_bind,
    installation.extras,
    configuration.variables,
    configuration.effective,
    configuration.rule_book,
    upstreams.remote_uis,
    pages.readiness_route,
    pages.pages,
)
"""What needs one."""

PAGE_CHECKS: Final[tuple[AppCheck, ...]] = (pages.validation, pages.experimental)
"""What is looked at with ``--check-pages``."""


def diagnose(
    subject: Subject,
    patient: Patient | None,
    *,
    check_pages: bool = False,
    is_running: bool = False,
) -> list[Finding]:
    """Run every check that applies.

    Args:
        subject: What is examined.
        patient: The same with its app; None if that could not be loaded.
        check_pages: Look at the pages, too.
        is_running: The service runs already, so its port is taken by itself.
    """
    found = [finding for check in CHECKS for finding in check(subject)]
    if patient is None:
        return found
    wanted = [check for check in APP_CHECKS if not (is_running and check is system.gateway_bind)]
    if check_pages:
        wanted += PAGE_CHECKS
    return found + [finding for check in wanted for finding in check(patient)]
