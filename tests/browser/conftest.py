"""A browser and the applications it visits, each through every door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.browser import chromium, fresh_page, screenshot
from tests.support.site import DOORS, Door, House, Launch, Site

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import Browser, Page

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the ``page`` fixture know whether its test failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def house(
    launch: Launch, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[House]:
    """The module's application; the module's fixture ``launch`` says which."""
    name = request.module.__name__.rpartition(".")[2]
    with House(launch, tmp_path_factory.mktemp(name)) as house:
        yield house


@pytest.fixture(scope="module", params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    door: Door = request.param
    return door


@pytest.fixture(scope="module")
def site(house: House, door: Door) -> Site:
    return house.site(door)


@pytest.fixture
def page(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty browser window; errors on its console fail the test."""
    with fresh_page(browser, site.origin) as (page, complaints):
        yield page
        if request.node.stash.get(FAILED, False):
            pytest.fail(f"see {screenshot(page, request.node.name)}; {complaints.messages}")
        assert complaints.messages == []
