"""A stand-in for the streamlit module that records what was asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


@dataclass(eq=False)
class FakePage:
    body: Callable[[], None]
    title: str
    icon: str | None
    slug: str
    default: bool
    visibility: str

    @property
    def url_path(self) -> str:
        return "" if self.default else self.slug

    def run(self) -> None:
        self.body()


class FakeHeaders(dict[str, str]):
    """Headers of which one may have several lines, as Streamlit hands them out."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._lines = [(name.lower(), value) for name, value in lines]
        super().__init__(reversed(self._lines))  # the first of a name is its value

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self._lines if key == name.lower()]


class Switched(BaseException):
    """How ``st.switch_page`` leaves a script."""


class Stopped(BaseException):
    """How ``st.stop`` leaves a script."""


@dataclass
class FakeStreamlit:
    """Shows the page with one slug, by default the first, and records what was asked of it."""

    choose: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    query_params: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    written: list[Any] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    exceptions: list[Exception] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    pages: list[FakePage] = field(default_factory=list)
    sections: dict[str, list[FakePage]] = field(default_factory=dict)
    navigation_options: dict[str, Any] = field(default_factory=dict)
    made: int = 0
    switched: tuple[str, Mapping[str, Any]] | None = None

    def __post_init__(self) -> None:
        self.context = SimpleNamespace(headers=self.headers, cookies=self.cookies)
        self.sidebar = SimpleNamespace(empty=self.empty)
        self.title = self.info = self.write = self.written.append
        self.error, self.warning = self.errors.append, self.warnings.append
        self.exception = self.exceptions.append
        self.markdown, self.caption = self.written.append, self.captions.append
        self.get_option = self.options.get

    def empty(self) -> SimpleNamespace:
        """Reserve a place in the sidebar, whose caption the next one takes the place of."""
        place = len(self.captions)

        def caption(text: str) -> None:
            self.captions[place:] = [text]

        return SimpleNamespace(caption=caption)

    def code(self, text: str, language: str | None) -> None:
        assert language is None
        self.codes.append(text)

    def set_page_config(self, **config: object) -> None:
        self.config.update(config)

    def Page(self, run: Callable[[], None], **options: Any) -> FakePage:  # noqa: N802 - Streamlit's name
        self.made += 1
        return FakePage(run, slug=options.pop("url_path"), **options)

    def navigation(self, pages: Any, **options: Any) -> FakePage:
        self.navigation_options = options
        self.sections = pages if isinstance(pages, dict) else {"": pages}
        self.pages = [page for several in self.sections.values() for page in several]
        default = next(page for page in self.pages if page.default)
        shown = {page.slug: page for page in self.pages}
        return shown.get(self.choose, default)

    def menu(self, pages: Any, **options: Any) -> Callable[[], FakePage]:
        return lambda: self.navigation(pages, **options)

    def switch_page(self, page: FakePage, *, query_params: Mapping[str, Any]) -> None:
        self.switched = page.url_path, query_params
        raise Switched

    def stop(self) -> None:
        raise Stopped
