"""Everything that can be said against an app's pages without running them."""

from __future__ import annotations

import json
from typing import Protocol

from fluxlit.pages.manifest import Described, build_page_manifest
from fluxlit.pages.runner import Site


class Arranged(Described, Protocol):
    """What is validated; an app is one."""

    def site(self) -> Site:
        """Return the pages as they stand in the navigation."""


def validate_fluxlit_pages(app: Arranged, *, strict_signatures: bool | None = None) -> list[str]:
    """Return what is wrong with an app's pages, one sentence each; nothing if all is well.

    What a page cannot be at all, such as a second one under the same path, is refused where it is
    registered and does not get here.

    Args:
        app: The app.
        strict_signatures: Tell of parameters that are not declared; None asks the app's
            ``strict_page_signatures``.
    """
    strict = app.settings.strict_page_signatures if strict_signatures is None else strict_signatures
    problems = list(app.site().navigation.problems)
    if strict:
        problems += [f"{it.path}: {loose}" for it in app.page_records for loose in it.plan.loose]
    try:
        json.dumps(build_page_manifest(app))
    except (TypeError, ValueError) as exc:
        problems.append(f"manifest JSON: {exc}")
    return problems
