"""The pages of one app, their arrangement, and what their runs have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from fluxlit import _env
from fluxlit._paths import path_parameters
from fluxlit.client import ApiClient
from fluxlit.pages.di import env_page_overrides
from fluxlit.pages.navigation import Navigation, NavigationModel, arrange
from fluxlit.pages.plan import Grounds
from fluxlit.pages.records import PageFn, PageOptions, PageRecord, check_kind, make_record
from fluxlit.pages.registry import PageRegistry
from fluxlit.pages.run import Call
from fluxlit.pages.runner import Site


@dataclass(frozen=True, slots=True)
class PageRules:
    """What an app has for its pages, and what it asks of them.

    Attributes:
        provided: What a page function can get, by type, besides ``st`` and the client.
        taken: Path of the API, beside which the pages live.
        strict: Every parameter must be declared.
        may_yield: Page functions may be generators.
    """

    provided: Mapping[type, object]
    taken: str = ""
    strict: bool = False
    may_yield: bool = False


class PageBook:
    """The pages of one app.

    Args:
        rules: Tells what the app has for its pages; asked at each registration.
    """

    def __init__(self, rules: Callable[[], PageRules]) -> None:
        self._rules = rules
        self._records = PageRegistry()
        self._model = NavigationModel()
        self._site: Site | None = None
        self._said: str | None = None

    def __iter__(self) -> Iterator[PageRecord]:
        """Iterate over the pages in the order of their registration."""
        return iter(self._records)

    def register(
        self, path: str, fn: PageFn, options: PageOptions, namespace: Mapping[str, Any]
    ) -> None:
        """Add a page.

        Args:
            path: Where it is.
            fn: Its function.
            options: What is said of it besides.
            namespace: Names of the place of registration, for annotations.

        Raises:
            PageError: It cannot be a page, or not beside the others.
        """
        rules = self._rules()
        grounds = Grounds(
            injectable=(ModuleType, ApiClient, *rules.provided),
            absent=frozenset(kind for kind, value in rules.provided.items() if value is None),
            path=path_parameters(path),
            namespace=namespace,
            strict=rules.strict,
        )
        record = make_record(path, fn, options, grounds)
        check_kind(record, may_yield=rules.may_yield)
        self._records.add(record, taken=rules.taken)
        self.forget()

    def arrange(self, model: NavigationModel) -> None:
        """Arrange the pages."""
        self._model = model
        self.forget()

    def sort(self) -> None:
        """Order all pages by path and title."""
        self._records.sort()
        self.forget()

    def navigation(self) -> Navigation:
        """Return the pages as they are arranged."""
        return arrange(list(self._records), self._model)

    def forget(self) -> None:
        """Make the site anew for the next run; something that it is made from has changed."""
        self._site = None

    def site(
        self,
        *,
        title: str,
        page_config: Mapping[str, Any],
        make_client: Callable[[], ApiClient],
        replaced: Mapping[Call, Call],
    ) -> Site:
        """Return what the pages' runs have in common; made once, not for each run.

        Tests say other values from run to run; a service does not.
        """
        said = os.environ.get(_env.TEST_PAGE_OVERRIDES)
        if self._site is None or said != self._said:
            self._said = said
            self._site = Site(
                title=title,
                navigation=self.navigation(),
                page_config=page_config,
                provided=self._rules().provided,
                make_client=make_client,
                replaced=replaced,
                values=env_page_overrides(),
            )
        return self._site
