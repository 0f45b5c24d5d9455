from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import unquote

from fluxlit.frontend.page import NONCE_HINT, NoncedPage, PageHead, compose, emoji_icon

TEMPLATE = """<!doctype html>
<html><head>
<link rel="shortcut icon" href="./favicon.png" />
<title>Streamlit</title>
<script type="module" src="./a.js"></script>
</head><body><noscript><p>Enable JavaScript.</p></noscript></body></html>
"""
HOSTILE = "\"><script>alert(1)</script>'&\\1</title>"


class Seen(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def meta(self) -> dict[str | None, str | None]:
        found = [attrs for tag, attrs in self.tags if tag == "meta"]
        return {it.get("name") or it.get("property"): it.get("content") for it in found}

    def link(self, rel: str) -> str | None:
        return next(
            attrs["href"] for tag, attrs in self.tags if tag == "link" and attrs.get("rel") == rel
        )


def test_the_head_tells_what_the_page_is() -> None:
    head = PageHead("Orders · Desk", "All orders.", "Desk", "./icon.png", "https://x.test/orders")
    seen = Seen(compose(TEMPLATE, head))
    assert seen.meta() == {
        "description": "All orders.",
        "og:title": "Orders · Desk",
        "og:description": "All orders.",
        "og:site_name": "Desk",
        "og:type": "website",
        "og:url": "https://x.test/orders",
    }
    assert seen.link("canonical") == "https://x.test/orders"
    assert seen.link("shortcut icon") == "./icon.png"
    assert "Orders · Desk" in seen.texts
    assert "Streamlit" not in seen.texts


def test_a_reader_without_scripts_sees_title_and_description() -> None:
    page = compose(TEMPLATE, PageHead("Orders", "All of them."))
    inside = page.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "<h1>Orders</h1>" in inside
    assert "<p>All of them.</p>" in inside
    assert "Enable JavaScript." in inside


def test_what_is_not_known_is_not_said() -> None:
    seen = Seen(compose(TEMPLATE, PageHead("Orders")))
    assert seen.meta() == {"og:title": "Orders", "og:type": "website"}
    assert seen.link("shortcut icon") == "./favicon.png"
    assert not any(attrs.get("rel") == "canonical" for _, attrs in seen.tags)


def test_nothing_said_of_a_page_becomes_markup() -> None:
    head = PageHead(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    seen = Seen(compose(TEMPLATE, head))
    assert [attrs for tag, attrs in seen.tags if tag == "script"] == [
        {"type": "module", "src": "./a.js"}
    ]
    assert seen.meta()["og:title"] == seen.meta()["description"] == HOSTILE
    assert seen.link("canonical") == seen.link("shortcut icon") == HOSTILE


def test_the_fragment_is_taken_as_it_is_and_comes_last_in_the_head() -> None:
    fragment = r'<script>counter("\1", {"a": 1})</script>'
    page = compose(TEMPLATE, PageHead("x"), fragment)
    assert re.search(re.escape(fragment) + r"\s*</head>", page)


def test_an_emoji_becomes_a_picture_that_cannot_break_out() -> None:
    address = emoji_icon("🧾</text><script>")
    assert address.startswith("data:image/svg+xml,")
    assert "<script" not in unquote(address)
    assert "🧾" in unquote(address)


def test_the_nonce_goes_to_what_is_an_element_and_nothing_else() -> None:
    page = (
        f"<head>{NONCE_HINT}\n<!-- <script>no</script> -->"
        '<SCRIPT src="a.js"></SCRIPT>\u2028\x0b\n'
        "<script>document.write(\"<script src='b.js'><\\/script>\")</script>"
        '<script nonce="mine">2</script><link rel="modulepreload" href="c.js"><p>é</p></head>'
    )
    rendered = NoncedPage(page).render("N0")
    assert rendered.replace(' nonce="N0"', "") == page
    assert rendered.count("N0") == 4
    assert '<SCRIPT nonce="N0" src="a.js">' in rendered
    assert '<meta nonce="N0" property="csp-nonce" />' in rendered
    assert '<link nonce="N0" rel="modulepreload"' in rendered
    assert '<script nonce="N0">document' in rendered
    assert '<script nonce="mine">' in rendered
