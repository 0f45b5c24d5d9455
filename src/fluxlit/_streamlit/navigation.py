"""``st.navigation`` for pages that stay the same: what it tells the browser is composed once.

Streamlit composes the menu anew on each rerun, 12 µs for each page of the app; an app of sixty
pages would pay a tenth of its rerun for it. Its message is kept here from the first time on, and
only the page that is shown is filled in.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

Pages = Mapping[str, Sequence[Any]] | Sequence[Any]


class Menu:
    """The navigation over one set of pages; calling it returns the page to run.

    Args:
        pages: Page objects, or headings with the page objects under them. They are only ever
            copied, because Streamlit notes in them whether they may be run.
        options: As for ``st.navigation``.
    """

    def __init__(self, pages: Pages, **options: Any) -> None:
        self._pages = pages
        self._options = options
        groups = list(pages.values()) if isinstance(pages, Mapping) else [pages]
        self._by_hash = {page._script_hash: page for group in groups for page in group}  # noqa: SLF001
        self._default = next(key for key, page in self._by_hash.items() if page._default)  # noqa: SLF001
        self._message: ForwardMsg | None = None
        self._infos: Mapping[str, Any] = {}

    def __call__(self) -> Any:
        """Tell the browser of the pages and return a copy of the one that it is at."""
        context = get_script_run_ctx()
        if context is None or not hasattr(context.pages_manager, "set_pages_and_resolve"):
            return self._by_streamlit()
        if self._message is None:
            return self._first(context)
        found = context.pages_manager.set_pages_and_resolve(dict(self._infos), self._default)
        if found is None:
            return self._by_streamlit()  # which tells the visitor that there is no such page
        key = found["page_script_hash"]
        message = ForwardMsg()
        message.CopyFrom(self._message)
        message.navigation.page_script_hash = key
        context.set_mpa_v2_page(key)
        context.enqueue(message)
        page = copy.copy(self._by_hash[key])
        page._can_be_called = True  # noqa: SLF001 - as st.navigation does
        return page

    def _first(self, context: Any) -> Any:
        """Let Streamlit compose the message, and keep it."""
        with _recorded(context) as messages:
            chosen = self._by_streamlit()
        for message in messages:
            if message.WhichOneof("type") == "navigation":
                kept = ForwardMsg()
                kept.navigation.CopyFrom(message.navigation)
                self._infos = context.pages_manager.get_pages()
                self._message = kept
        return chosen

    def _by_streamlit(self) -> Any:
        if isinstance(self._pages, Mapping):
            copies: Any = {key: list(map(copy.copy, group)) for key, group in self._pages.items()}
        else:
            copies = list(map(copy.copy, self._pages))
        return st.navigation(copies, **self._options)


@contextmanager
def _recorded(context: Any) -> Iterator[list[ForwardMsg]]:
    """Listen to what one script run sends to its browser."""
    messages: list[ForwardMsg] = []
    send = context.enqueue

    def enqueue(message: ForwardMsg) -> None:
        messages.append(message)
        send(message)

    context.enqueue = enqueue
    try:
        yield messages
    finally:
        del context.enqueue
