"""What an app's pages are, as plain values: for tools, catalogues and tests that compare."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources
from typing import Any, Final, NotRequired, Protocol, TypedDict

from fluxlit.config import FluxlitSettings
from fluxlit.pages.records import PageRecord
from fluxlit.pages.sources import Dependency

MANIFEST_V1_ROOT_KEYS: Final = frozenset(
    {"manifest_version", "manifest_stability", "title", "pages"}
)
MANIFEST_V1_PAGE_ALLOWED_KEYS: Final = frozenset(
    {"path", "title", "tags", "description", "icon", "parameters", "dependencies", "children"}
)


class ParameterFacts(TypedDict):
    """One parameter of a page function."""

    name: str
    annotation: str


class PageFacts(TypedDict):
    """One page."""

    path: str
    title: str
    tags: list[str]
    description: str
    icon: str | None
    parameters: list[ParameterFacts]
    dependencies: list[str]
    children: NotRequired[list[dict[str, Any]]]


class PageManifest(TypedDict):
    """All pages of an app, in the order of their registration."""

    manifest_version: int
    manifest_stability: str
    title: str
    pages: list[PageFacts]


class Described(Protocol):
    """What a manifest is made of; an app is one."""

    @property
    def settings(self) -> FluxlitSettings:
        """The app's settings."""

    @property
    def page_records(self) -> list[PageRecord]:
        """The pages as they were registered."""


def build_page_manifest(app: Described, *, version: int = 1) -> PageManifest:
    """Describe the pages of an app; the same app gives the same manifest.

    Args:
        app: The app.
        version: Written into the manifest; its shape is that of version 1, which is stable.
    """
    return {
        "manifest_version": version,
        "manifest_stability": "stable",
        "title": app.settings.title,
        "pages": [_facts(record) for record in app.page_records],
    }


def manifest_schema() -> dict[str, Any]:
    """Return the JSON schema of a manifest."""
    file = resources.files("fluxlit.pages").joinpath("manifest.schema.json")
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


def _facts(record: PageRecord) -> PageFacts:
    facts: PageFacts = {
        "path": record.path,
        "title": record.title,
        "tags": list(record.tags),
        "description": record.description,
        "icon": record.icon,
        "parameters": [
            {"name": name, "annotation": text} for name, text in record.plan.annotations
        ],
        "dependencies": list(dict.fromkeys(_dependencies(record))),
    }
    if record.meta.children:
        facts["children"] = record.meta.children
    return facts


def _dependencies(record: PageRecord) -> Iterable[str]:
    direct = [need.source for need in record.plan.needs if isinstance(need.source, Dependency)]
    for dependency in (*direct, *record.guards):
        call = dependency.call
        name = getattr(call, "__qualname__", type(call).__qualname__)
        yield f"{call.__module__}.{name}"
