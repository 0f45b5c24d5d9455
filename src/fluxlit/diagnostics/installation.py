"""Is what FluxLit needs installed, in versions that it was tried with?"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from typing import Final

from packaging.requirements import Requirement
from packaging.version import Version

from fluxlit._streamlit.seams import missing_seams
from fluxlit.config.findings import Finding, Level, passed
from fluxlit.diagnostics.subject import Patient, Subject

NEWEST_STREAMLIT: Final = Version("1.67")
"""The newest release whose inner parts the code was tried with."""


def dependencies(_: Subject) -> Iterator[Finding]:
    """Compare what is installed with what FluxLit asks for."""
    wrong = [text for needed in requirements() if (text := _judge(needed))]
    if wrong:
        remedy = "python -m pip install --upgrade fluxlit"
        yield Finding("dependencies", Level.ERROR, "; ".join(wrong), remedy)
    else:
        yield passed("dependencies", ", ".join(map(_with_version, requirements())))


def requirements(extra: str = "") -> list[Requirement]:
    """Return what FluxLit itself, or one of its extras, asks for."""
    found = [Requirement(text) for text in requires("fluxlit") or []]
    plain = {need.name for need in found if _applies(need, "")}
    return [
        need for need in found if _applies(need, extra) and (not extra or need.name not in plain)
    ]


def _applies(need: Requirement, extra: str) -> bool:
    return need.marker is None or need.marker.evaluate({"extra": extra})


def _judge(need: Requirement) -> str:
    """Say what is wrong with an installed package; nothing if it fits."""
    try:
        found = version(need.name)
    except PackageNotFoundError:
        return f"{need.name} is not installed"
    fits = need.specifier.contains(found, prereleases=True)
    return "" if fits else f"{need.name} {found} does not fit {need.specifier}"


def _with_version(need: Requirement) -> str:
    return f"{need.name} {version(need.name)}"


def streamlit_version(_: Subject) -> Iterator[Finding]:
    """Compare Streamlit with the newest release that was tried."""
    if not _has("streamlit"):
        return  # said by the dependencies
    found = Version(version("streamlit"))
    if (found.major, found.minor) > (NEWEST_STREAMLIT.major, NEWEST_STREAMLIT.minor):
        message = f"Streamlit {found} is newer than {NEWEST_STREAMLIT}, the newest that was tried"
        yield Finding("streamlit_version", Level.WARNING, message, "try it before users do")
    else:
        yield passed("streamlit_version", f"Streamlit {found}")


def streamlit_seams(_: Subject) -> Iterator[Finding]:
    """Look for each undocumented name of Streamlit that the code relies on."""
    if not _has("streamlit"):
        return
    missing = missing_seams()
    if not missing:
        yield passed("streamlit_seams", "every inner part of Streamlit that is used is there")
        return
    told = "; ".join(f"{seam.module}.{seam.name} ({seam.why})" for seam in missing)
    remedy = f"install Streamlit {NEWEST_STREAMLIT}"
    yield Finding("streamlit_seams", Level.ERROR, f"Streamlit lacks {told}", remedy)


def extras(patient: Patient) -> Iterator[Finding]:
    """Look for the optional packages that the settings ask for."""
    settings = patient.app.settings
    wants_auth = settings.jwt_hs256_secret.get_secret_value() or settings.jwt_jwks_url
    wanted = {
        "auth": bool(wants_auth or settings.oidc_bff_secret.get_secret_value()),
        "metrics": settings.enable_gateway_prometheus_metrics,
    }
    for extra in (extra for extra, is_wanted in wanted.items() if is_wanted):
        name = f"fluxlit_{extra}_extra"
        missing = [text for needed in requirements(extra) if (text := _judge(needed))]
        if missing:
            remedy = f"python -m pip install 'fluxlit[{extra}]'"
            yield Finding(name, Level.ERROR, "; ".join(missing), remedy)
        else:
            yield passed(name, ", ".join(map(_with_version, requirements(extra))))


def installed_extras() -> dict[str, bool]:
    """Tell which extras are installed."""
    return {
        extra: not any(_judge(need) for need in requirements(extra))
        for extra in ("auth", "metrics", "redis")
    }


def _has(module: str) -> bool:
    return find_spec(module) is not None
