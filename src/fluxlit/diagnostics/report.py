"""What the doctor says: for a terminal, for a machine, and as an exit status."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from fluxlit._types import JsonValue
from fluxlit.config.findings import Finding, Level, worst
from fluxlit.config.project import load_project_config
from fluxlit.config.snapshot import redacted_settings
from fluxlit.diagnostics.installation import installed_extras
from fluxlit.diagnostics.subject import Patient, Subject

FAILED: Final = 1


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of one examination.

    Attributes:
        target: Where the app is, in full.
        findings: In the order of the checks.
        warnings_only: Never fail, whatever is found.
        verbose: More about the app, for ``--verbose``; None otherwise.
    """

    target: str
    findings: tuple[Finding, ...]
    warnings_only: bool = False
    verbose: dict[str, JsonValue] | None = field(default=None)

    @property
    def exit_status(self) -> int:
        """0 if nothing failed or nothing may; else 1."""
        return FAILED if worst(self.findings) is Level.ERROR and not self.warnings_only else 0

    @property
    def status(self) -> str:
        """``pass``, ``warn`` or ``fail``, for all findings together."""
        if self.exit_status:
            return "fail"
        return "pass" if worst(self.findings) is Level.PASS else "warn"

    def summary(self) -> str:
        """Return how many there are of each level, in one line."""
        levels = [finding.level for finding in self.findings]
        passed, warned, failed = (levels.count(level) for level in Level)
        return f"{passed} passed, {warned} warned, {failed} failed"

    def to_json(self) -> dict[str, JsonValue]:
        """Return what ``fluxlit doctor --json`` prints; ``doctor.schema.json`` describes it."""
        payload: dict[str, JsonValue] = {
            "status": self.status,
            "target": self.target,
            "warnings_only": self.warnings_only,
            "checks": [
                {
                    "name": finding.row,
                    "status": finding.level.status,
                    "detail": finding.message,
                    "code": finding.name,
                    "remedy": finding.remedy,
                    "doc": finding.doc,
                }
                for finding in self.findings
            ],
        }
        return payload if self.verbose is None else {**payload, "verbose": self.verbose}


def describe(subject: Subject, patient: Patient | None) -> dict[str, JsonValue]:
    """Return what ``--verbose`` adds: the app as it would run, without secrets."""
    if patient is None:
        return {"resolved_target": subject.target, "import_failed": True}
    app, settings = patient.app, patient.app.settings
    project = load_project_config()
    return {
        "resolved_target": subject.target,
        "pages": [{"path": page.path, "title": page.title} for page in app.page_records],
        "settings_redacted": redacted_settings(settings),
        "effective": {
            "host": settings.gateway_host,
            "port": settings.gateway_port,
            "log_level": settings.effective_log_level(),
            "mount": settings.public_mount_path(),
            "api_prefix": settings.api_prefix(),
            "ui_path": settings.ui_base(),
            "internal_api_base": settings.internal_api_base(),
        },
        "openapi": {
            "docs": app.api.docs_url,
            "redoc": app.api.redoc_url,
            "openapi": app.api.openapi_url,
        },
        "extras": dict(installed_extras()),
        "streamlit_sidecar": {
            "script": str(app.streamlit_script) if app.streamlit_script else None,
            "run_args": redacted_settings(settings)["streamlit_run_cli_args"],
        },
        "gateway_proxy": {
            "trusted_proxies": list(settings.effective_forwarded_allow_ips()),
            "connect_timeout_s": settings.gateway_upstream_connect_timeout_s,
            "read_timeout_s": settings.gateway_upstream_read_timeout_s,
            "max_request_body_bytes": settings.gateway_max_proxy_request_body_bytes,
        },
        "project_defaults": {} if project is None else dict(_said(project)),
    }


def _said(project: object) -> Iterator[tuple[str, JsonValue]]:
    for name in getattr(project, "__slots__", ()):
        value = getattr(project, name)
        if value is not None:
            yield name, value
