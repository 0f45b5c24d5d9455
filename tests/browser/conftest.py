"""A browser and the applications it visits, each through every door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page
from tests.support.browser import chromium, fresh_page, screenshot
from tests.support.site import DOORS, Launch, Neighbourhood, Site

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import Browser

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a failed test together with a picture of its page."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
        page = item.funcargs.get("page") if isinstance(item, pytest.Function) else None
        if report.failed and isinstance(page, Page):
            report.sections.append(("Picture of the page", str(screenshot(page, item.name))))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for a ``site`` each of its module's ``LAUNCHES``, by each door.

    A module may name fewer ``DOORS`` than there are.
    """
    if "site" in metafunc.fixturenames:
        launches: dict[str, Launch] = metafunc.module.LAUNCHES
        visits = {
            "-".join(filter(None, (name, door))): (launch, door)
            for name, launch in launches.items()
            for door in getattr(metafunc.module, "DOORS", DOORS)
        }
        metafunc.parametrize(
            "site", list(visits.values()), ids=list(visits), indirect=True, scope="module"
        )


@pytest.fixture(scope="module")
def neighbourhood(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    neighbourhood = Neighbourhood(lambda: tmp_path_factory.mktemp("app"))
    yield neighbourhood
    neighbourhood.close()


@pytest.fixture(scope="module")
def site(neighbourhood: Neighbourhood, request: pytest.FixtureRequest) -> Site:
    """The module's application, seen through one door."""
    return neighbourhood.site(*request.param)


@pytest.fixture
def page(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty browser window; errors on its console fail a test that is content otherwise."""
    with fresh_page(browser, site.origin) as (page, complaints):
        yield page
        if not request.node.stash.get(FAILED, False):
            assert complaints.messages == []
