"""A login at a certified OpenID provider, as a visitor of the example does it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from playwright.sync_api import expect
from tests.browser.steps import see_text, see_title, sidebar_link
from tests.support.browser import fresh_page
from tests.support.nginx import nginx_running, prefix_rules
from tests.support.openid import openid_provider
from tests.support.openid import sign_in as at_provider
from tests.support.ports import free_port
from tests.support.service import copy_app, running
from tests.support.site import MOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

EXAMPLE = Path(__file__).parents[2] / "examples/login"
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module", params=["", MOUNT], ids=["direct", "mounted"])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The example's address, at the root or under a mount behind nginx."""
    mount, directory = request.param, tmp_path_factory.mktemp("login")
    copy_app(EXAMPLE, directory)
    port = free_port()
    with ExitStack() as stack:
        origin = f"http://127.0.0.1:{port}"
        if mount:
            rules = prefix_rules(port, mount)
            stack.enter_context(nginx_running(list(rules.values())))
            origin = rules["strip"].origin
        provider = stack.enter_context(
            openid_provider(directory, [f"{origin}{mount}/api/auth/callback"])
        )
        environment = {
            "OIDC_ISSUER": provider.issuer,
            "OIDC_CLIENT_ID": provider.client_id,
            "OIDC_CLIENT_SECRET": provider.client_secret,
            "FLUXLIT_OIDC_BFF_SECRET": SECRET,
            "FLUXLIT_PUBLIC_BASE_URL": origin,
            "FLUXLIT_ROOT_PATH": mount,
        }
        service = running(
            *("run", "--workers", "2"), directory=directory, environment=environment, port=port
        )
        stack.enter_context(service)
        yield origin + mount


@pytest.fixture
def page(browser: Browser, desk: str) -> Iterator[Page]:
    with fresh_page(browser, desk) as (page, complaints):
        yield page
        # Chromium notes each answer that is no success, also where a test provokes one.
        assert [it for it in complaints.messages if "/api/auth/callback" not in it] == []


def sign_in(page: Page, name: str) -> None:
    """Fill in the provider's forms."""
    page.get_by_role("link", name="Sign in").click()
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def test_a_visitor_signs_in_and_the_page_calls_the_api_as_them(page: Page, desk: str) -> None:
    page.goto(f"{desk}/")
    see_title(page, "Desk")
    sign_in(page, "ada")
    see_text(page, "Dr. ada <ada@desk.example>")
    expect(page).to_have_url(f"{desk}/")
    page.get_by_role("button", name="Again").click()
    see_text(page, "Dr. ada <ada@desk.example>")
    sidebar_link(page, "Account").click()
    see_title(page, "Account")
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["fluxlit-login"]["httpOnly"]


def test_a_guarded_page_waits_for_the_login(page: Page, desk: str) -> None:
    page.goto(f"{desk}/account")
    expect(page.get_by_test_id("stAlert")).to_have_text("Please sign in.")
    expect(page.get_by_role("heading", name="Account")).to_have_count(0)
    expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(0)


def test_a_code_is_refused_in_another_browser(page: Page, desk: str) -> None:
    """Who opens somebody else's address does not become that somebody."""
    with httpx2.Client() as attacker:
        address = attacker.get(f"{desk}/api/auth/login").headers["location"]
        back = attacker.get(at_provider(attacker, address, "eve"))
    page.goto(back.headers["location"])
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    expect(page.get_by_text("eve@desk.example")).to_have_count(0)
    expect(page).to_have_url(f"{desk}/")
    page.reload()
    sign_in(page, "ada")
    see_text(page, "Dr. ada <ada@desk.example>")


def test_tampering_with_the_way_back_ends_on_a_page_that_leads_to_a_new_login(
    page: Page, desk: str
) -> None:
    page.goto(f"{desk}/api/auth/callback?code=x&state=y")
    expect(page.get_by_role("heading", name="Sign-in failed")).to_be_visible()
    expect(page.get_by_text("Invalid or expired state")).to_be_visible()
    page.get_by_role("link", name="Sign in again").click()
    expect(page.get_by_placeholder("Enter any login")).to_be_visible()


def test_any_gateway_worker_ends_what_another_one_began(desk: str) -> None:
    """Many at once, because an idle service gives all requests to one worker."""

    def log_in(number: int) -> list[int]:
        with httpx2.Client(headers={"Connection": "close"}, timeout=30) as browser:
            address = browser.get(f"{desk}/api/auth/login").headers["location"]
            back = browser.get(at_provider(browser, address, f"user{number}"))
            assert back.status_code == 302, back.text
            code = parse_qs(urlsplit(back.headers["location"]).query)["auth_code"][0]
            exchange = f"{desk}/api/auth/exchange"
            return [browser.post(exchange, json={"code": code}).status_code for _ in range(3)]

    with ThreadPoolExecutor(8) as visitors:
        for given in visitors.map(log_in, range(24)):
            assert given == [200, 401, 401]


def test_the_api_alone_wants_a_token(desk: str) -> None:
    answer = httpx2.get(f"{desk}/api/me")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
