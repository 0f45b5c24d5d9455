"""The page that every address of the UI answers: Streamlit's ``index.html`` with a head. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from itertools import accumulate, pairwise
from typing import Final
from urllib.parse import quote

_TITLE: Final = re.compile(r"<title>.*?</title>", re.DOTALL)
_ICON: Final = re.compile(r'(<link\s+rel="shortcut icon"\s+href=")[^"]*(")')
_HEAD_END: Final = "</head>"
_NOSCRIPT: Final = "<noscript>"
_NONCED: Final = frozenset({"script", "style", "link"})


@dataclass(frozen=True, slots=True)
class PageHead:
    """What the outside learns of a page before any script runs.

    Attributes:
        title: The browser tab's title.
        description: One sentence for search engines, previews and visitors without scripts.
        site: Name of the whole app.
        icon: Address of the favicon; empty for Streamlit's own.
        url: The page's one public address; empty when it is not known.
    """

    title: str
    description: str = ""
    site: str = ""
    icon: str = ""
    url: str = ""


def compose(template: str, head: PageHead, fragment: str = "") -> str:
    """Write a page's head into Streamlit's ``index.html``.

    Args:
        template: Streamlit's ``index.html``.
        head: What is said of the page; escaped here.
        fragment: Markup for the end of the head, taken as it is.
    """
    page = _TITLE.sub(lambda _: f"<title>{escape(head.title)}</title>", template, count=1)
    if head.icon:
        page = _ICON.sub(lambda found: f"{found[1]}{escape(head.icon)}{found[2]}", page, count=1)
    said = "".join(f"    {line}\n" for line in (*_metadata(head), fragment.strip()) if line)
    page = page.replace(_HEAD_END, f"{said}  {_HEAD_END}", 1)
    return page.replace(_NOSCRIPT, f"{_NOSCRIPT}\n{_for_readers(head)}", 1)


def _metadata(head: PageHead) -> Iterator[str]:
    if head.url:
        yield f'<link rel="canonical" href="{escape(head.url)}" />'
        yield f'<meta property="og:url" content="{escape(head.url)}" />'
    yield '<meta property="og:type" content="website" />'
    yield f'<meta property="og:title" content="{escape(head.title)}" />'
    if head.site:
        yield f'<meta property="og:site_name" content="{escape(head.site)}" />'
    if head.description:
        yield f'<meta name="description" content="{escape(head.description)}" />'
        yield f'<meta property="og:description" content="{escape(head.description)}" />'


def _for_readers(head: PageHead) -> str:
    lines = [f"      <h1>{escape(head.title)}</h1>"]
    if head.description:
        lines.append(f"      <p>{escape(head.description)}</p>")
    return "\n".join(lines)


def emoji_icon(emoji: str) -> str:
    """Return the address of a favicon that shows an emoji.

    >>> emoji_icon("🚀")[:30]
    'data:image/svg+xml,%3Csvg%20xm'
    """
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<text y=".9em" font-size="90">{escape(emoji)}</text></svg>'
    )
    return f"data:image/svg+xml,{quote(drawing, safe='')}"


NONCE_HINT: Final = '<meta property="csp-nonce" />'
"""Where Vite's preloading finds the nonce for what it loads later.

See https://vite.dev/guide/features#content-security-policy-csp.
"""


class NoncedPage:
    """A page whose scripts, styles and links carry a nonce, new for each answer.

    Args:
        page: The composed page.

    Example:
        >>> NoncedPage("<p></p><script>1</script>").render("n")
        '<p></p><script nonce="n">1</script>'
    """

    def __init__(self, page: str) -> None:
        finder = _NoncePlaces(page)
        finder.feed(page)
        finder.close()
        marks = [0, *finder.places, len(page)]
        self._pieces = [page[start:end] for start, end in pairwise(marks)]

    def render(self, nonce: str) -> str:
        """Return the page with this nonce, which needs no escaping."""
        return f' nonce="{nonce}"'.join(self._pieces)


class _NoncePlaces(HTMLParser):
    """Finds where a nonce goes: behind the name of each element that may carry one.

    A parser, not a pattern: what looks like an element inside a script or a comment is none.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=False)
        self._lines = [0, *accumulate(len(line) + 1 for line in page.split("\n"))]
        self.places: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        wanted = tag in _NONCED or (tag == "meta" and said.get("property") == "csp-nonce")
        if wanted and "nonce" not in said:
            line, column = self.getpos()
            self.places.append(self._lines[line - 1] + column + len(f"<{tag}"))
