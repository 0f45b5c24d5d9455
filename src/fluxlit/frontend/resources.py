"""What there is to serve: Streamlit's files, and one page for each address of the UI."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote_to_bytes

from fluxlit._streamlit.frontend import ICON_FONT_LATER, StreamlitFrontend, is_index_path
from fluxlit.frontend.catalog import NOT_SHARED, FrontendFile, by_urgency, icon_file, list_files
from fluxlit.frontend.options import FrontendOptions
from fluxlit.frontend.page import NONCE_HINT, NoncedPage, PageHead, compose, emoji_icon
from fluxlit.frontend.representation import Kind

NONCE: Final = "{nonce}"

_HTML: Final = b"text/html; charset=utf-8"
_POLICY: Final = b"content-security-policy"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that browsers may ask for.

    Attributes:
        name: What it is known by in memory.
        kind: The headers of all its representations.
        read: Reads its content; may block.
        file: The file behind it; None for a page.
        nonced: The page to render for each answer, where the policy asks for a nonce.
    """

    name: str
    kind: Kind
    read: Callable[[], bytes]
    file: FrontendFile | None = None
    nonced: NoncedPage | None = None

    @property
    def is_page(self) -> bool:
        """Whether this is a page, which is of use only together with its UI worker."""
        return self.file is None


class Resources:
    """Everything there is, found by path.

    Args:
        frontend: Where Streamlit's files are.
        options: The fragment and the policy of the pages.
        heads: The head of each page by the name it has in the browser's address, and under ``""``
            that of the UI's root. An icon is an emoji, the path of a picture, or an address.

    Attributes:
        files: Streamlit's files, those that a first visit asks for in front.
    """

    def __init__(
        self,
        frontend: StreamlitFrontend,
        options: FrontendOptions,
        heads: Mapping[str, PageHead],
    ) -> None:
        index = frontend.index()
        files = list_files(frontend)
        self.files: Sequence[FrontendFile] = by_urgency(files, index)
        self._options = options
        self._files = {_path_of(file): _file_resource(file) for file in files}
        self._pages = {slug: self._page(index, slug, head) for slug, head in heads.items()}
        # Streamlit's own root page under its file name, and addresses that no page has.
        unknown = PageHead(heads[""].site or heads[""].title, site=heads[""].site)
        self._unknown = self._page(index, "*", replace(unknown, icon=heads[""].icon))

    def find(self, path: bytes) -> Resource | None:
        """Find what a path names; None for what the UI worker is to answer.

        Args:
            path: The raw path below the UI's root, with its leading slash.
        """
        if b"%" in path:
            path = unquote_to_bytes(path)
        found = self._files.get(path)
        return found if found is not None else self._find_page(path)

    def _find_page(self, path: bytes) -> Resource | None:
        try:
            address = path.decode("utf-8")
        except UnicodeDecodeError:
            return None
        if not is_index_path(address):
            return None
        return self._pages.get(address[1:], self._unknown)

    def _page(self, index: str, slug: str, head: PageHead) -> Resource:
        policy = self._options.policy
        is_nonced = NONCE in policy
        hint = NONCE_HINT if is_nonced else ""
        fragment = f"{hint}\n{ICON_FONT_LATER}\n{self._options.fragment}"
        page = compose(index, replace(head, icon=self._icon(head.icon)), fragment)
        content = page.encode("utf-8", "replace")
        more = ((_POLICY, policy.encode("latin-1")),) if policy and not is_nonced else ()
        return Resource(
            f"/{slug}",
            Kind(_HTML, NOT_SHARED, varies=True, more=more),
            lambda: content,
            nonced=NoncedPage(page) if is_nonced else None,
        )

    def _icon(self, icon: str) -> str:
        """Return an icon's address; empty for what only Streamlit's scripts can show."""
        if not icon or icon.startswith(":"):
            return ""
        if not icon.isascii() and "." not in icon:
            return emoji_icon(icon)
        if icon.startswith(("http://", "https://", "data:image/")):
            return icon
        file = icon_file(icon)
        if file is None:
            return ""
        self._files[_path_of(file)] = _file_resource(file)
        return f"./{file.name}"


def _file_resource(file: FrontendFile) -> Resource:
    kind = Kind(file.content_type, file.cache_control, varies=file.compressible)
    return Resource(file.name, kind, file.source.read_bytes, file=file)


def _path_of(file: FrontendFile) -> bytes:
    return f"/{file.name}".encode()
