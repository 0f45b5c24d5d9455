"""In which order, under which headings and under which names the pages stand in the navigation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fluxlit._paths import page_slug, path_parameters
from fluxlit.pages.records import PageRecord, is_root


@dataclass(frozen=True, slots=True)
class NavigationModel:
    """How an app's pages are to be arranged, in one place; pages are named by their paths.

    Attributes:
        order: Pages in the order of the navigation. Those that are not named come after them, by
            their slug.
        sections: Headings and the pages under them, in place of the pages' own ``section=``.
        hidden: Pages that are not shown in the navigation; they can still be opened.
        children: Pages and those that stand directly after them, as ``PageMeta.children``.
        position: Where the navigation is.
        expanded: Whether a long navigation in the sidebar is shown whole, or how many pages of it.

    Example:
        >>> app.navigation(NavigationModel(order=("/", "/orders"), hidden=("/about",)))
    """

    order: tuple[str, ...] = ()
    sections: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    children: Mapping[str, Sequence[str]] = field(default_factory=dict)
    position: Literal["sidebar", "top", "hidden"] = "sidebar"
    expanded: bool | int = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One page in the navigation.

    Attributes:
        record: The page.
        title: How it is called there.
        icon: Its icon there.
        section: The heading that it stands under.
        visible: It is shown.
        default: It is the page at the UI's root.
    """

    record: PageRecord
    title: str
    icon: str | None = None
    section: str = ""
    visible: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True)
class Navigation:
    """All pages, arranged.

    Attributes:
        entries: The pages in order.
        position: Where the navigation is.
        expanded: Whether a long one is shown whole, or how many pages of it.
        problems: What was said that cannot be followed, and has been left out.
    """

    entries: tuple[Entry, ...] = ()
    position: Literal["sidebar", "top", "hidden"] = "sidebar"
    expanded: bool | int = False
    problems: tuple[str, ...] = ()


def arrange(records: Sequence[PageRecord], model: NavigationModel | None = None) -> Navigation:
    """Arrange the pages of an app."""
    model = model or NavigationModel()
    slugs = {record.slug for record in records}
    children = _children(records, model)
    ordered, circle = _nested(_ordered(records, model), children)
    default = _default(ordered)
    sections = {page_slug(path): name for name, paths in model.sections.items() for path in paths}
    hidden = set(map(page_slug, model.hidden))
    named = _names(records)
    entries = []
    for record in ordered:
        title, icon = named.get(record.slug, (None, None))
        entries.append(
            Entry(
                record=record,
                title=title or record.title,
                icon=icon or record.icon,
                section=sections.get(record.slug, record.section),
                visible=record.visible and record.slug not in hidden,
                default=record is default,
            )
        )
    problems = [*_unknown(records, model, slugs), *circle]
    return Navigation(tuple(entries), model.position, model.expanded, tuple(problems))


def _ordered(records: Sequence[PageRecord], model: NavigationModel) -> list[PageRecord]:
    if not model.order:
        return sorted(records, key=lambda it: (it.meta.order is None, it.meta.order or 0))
    place = {page_slug(path): index for index, path in enumerate(model.order)}
    return sorted(records, key=lambda it: (place.get(it.slug, len(place)), it.slug))


def _nested(
    records: list[PageRecord], children: Mapping[str, set[str]]
) -> tuple[list[PageRecord], list[str]]:
    """Put each child directly after its parent, else keep the order; tell of a circle."""
    parents: dict[str, set[str]] = {record.slug: set() for record in records}
    for parent, slugs in children.items():
        for slug in slugs & parents.keys() - {parent}:
            parents[slug].add(parent)
    placed: dict[str, PageRecord] = {}

    def place(record: PageRecord) -> None:
        if record.slug in placed or not parents[record.slug] <= placed.keys():
            return
        placed[record.slug] = record
        for other in records:
            if record.slug in parents[other.slug]:
                place(other)

    for record in records:
        place(record)
    left = [record for record in records if record.slug not in placed]
    paths = ", ".join(repr(record.path) for record in left)
    problems = [f"navigation: cycle among the children of {paths}"] if left else []
    return [*placed.values(), *left], problems


def _children(records: Iterable[PageRecord], model: NavigationModel) -> dict[str, set[str]]:
    found = {record.slug: set(record.meta.child_slugs()) for record in records}
    for path, paths in model.children.items():
        found.setdefault(page_slug(path), set()).update(map(page_slug, paths))
    return found


def _names(records: Iterable[PageRecord]) -> dict[str, tuple[str | None, str | None]]:
    """Return the titles and icons that pages give to their children; the last one counts."""
    return {
        slug: (child.get("title"), child.get("icon"))
        for record in records
        for slug, child in record.meta.child_slugs().items()
    }


def _default(ordered: Sequence[PageRecord]) -> PageRecord | None:
    """Choose the page at the UI's root: what was said, the one registered there, the first."""
    openable = [record for record in ordered if not path_parameters(record.path)]
    rules: tuple[Callable[[PageRecord], bool], ...] = (
        lambda record: record.default,
        lambda record: is_root(record.path),
        lambda record: record.visible,
        lambda _: True,
    )
    found = (record for rule in rules for record in (openable or ordered) if rule(record))
    return next(found, None)


def _unknown(
    records: Iterable[PageRecord], model: NavigationModel, slugs: set[str]
) -> Iterable[str]:
    said = [("NavigationModel.order", model.order), ("NavigationModel.hidden", model.hidden)]
    said += [(f"NavigationModel.sections[{name!r}]", (*ps,)) for name, ps in model.sections.items()]
    said += [
        (f"NavigationModel.children[{path!r}]", (path, *paths))
        for path, paths in model.children.items()
    ]
    said += [
        (f"page {it.path!r}: children", (*(f"/{slug}" for slug in it.meta.child_slugs()),))
        for it in records
    ]
    for where, paths in said:
        for path in paths:
            if page_slug(path) not in slugs:
                yield f"{where}: unknown path {path!r}"
