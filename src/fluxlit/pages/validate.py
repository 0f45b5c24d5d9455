"""Everything that can be said against an app's pages without running them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, Protocol

from fluxlit.pages.manifest import Described, build_page_manifest
from fluxlit.pages.navigation import Navigation
from fluxlit.pages.runner import Site

_NO_EMOJI: Final = re.compile(r"(?!:material/\w+:$|spinner$)[\x00-\x7f]+")


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
    navigation = app.site().navigation
    problems = [*navigation.problems, *_wrong_icons(navigation)]
    if strict:
        problems += [f"{it.path}: {loose}" for it in app.page_records for loose in it.plan.loose]
    try:
        json.dumps(build_page_manifest(app))
    except (TypeError, ValueError) as exc:
        problems.append(f"manifest JSON: {exc}")
    return problems


def _wrong_icons(navigation: Navigation) -> Iterator[str]:
    for entry in navigation.entries:
        icon: object = entry.icon
        if not isinstance(icon, str) or icon == entry.record.meta.page_icon:
            continue  # none, none that JSON can hold, the image of a tab
        if _NO_EMOJI.fullmatch(icon):
            yield f"{entry.record.path}: icon {icon!r} is no emoji and no ':material/name:'"
