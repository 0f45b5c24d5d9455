"""Is the UI there, where it runs elsewhere?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from fluxlit.config.findings import Finding, Level, passed
from fluxlit.config.rulebook import shown
from fluxlit.diagnostics.subject import Patient
from fluxlit.gateway.remote import RemoteUpstreams
from fluxlit.gateway.upstream import Member

ROW = "streamlit_upstream_health"


def remote_uis(patient: Patient) -> Iterator[Finding]:
    """Ask each UI that runs elsewhere how it is, as a gateway would."""
    settings = patient.app.settings
    if settings.ui_mode != "remote":
        return
    try:
        members = asyncio.run(_asked(RemoteUpstreams.of(settings)))
    except ValueError:
        return  # a URL that is none, which the rule book tells
    for member in members:
        url = shown(member.upstream.url)
        if member.serves:
            yield passed(ROW, f"{url} is well")
        else:
            remedy = "start it with `fluxlit ui`, and see that this machine may reach it"
            yield Finding(ROW, Level.WARNING, f"{url}: {member.detail}", remedy)


async def _asked(upstreams: RemoteUpstreams) -> list[Member]:
    async with upstreams.watched():
        return list(upstreams.members())
