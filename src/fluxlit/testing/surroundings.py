"""What a page finds around it while it is tested: its app, its API's address, its environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from fluxlit import _env

_OURS: Final = (
    _env.APP,
    _env.API_PREFIX,
    _env.INTERNAL_API_BASE,
    _env.INTERNAL_API_SOCKET,
    _env.TESTS,
    _env.TEST_PAGE_OVERRIDES,
    _env.URL_SESSION_PARAM,
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What one run of a page happens in; calling it makes the context.

    Attributes:
        target: Where the app is.
        api_socket: Returns the Unix socket that answers the page's calls; None where they go to
            :attr:`api_base` itself.
        api_base: Base URL of the API as the page sees it.
        api_prefix: The API's path.
        session_param: Query parameter of sessions in the address.
        sys_path: Folders to import from first.
        overrides: Values of page parameters by name.
    """

    target: str
    api_base: str
    api_prefix: str
    session_param: str
    api_socket: Callable[[], str] | None = None
    sys_path: Sequence[str] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Put everything in place for the block, and the process back as it was after it."""
        said = {
            _env.APP: self.target,
            _env.API_PREFIX: self.api_prefix,
            _env.INTERNAL_API_BASE: self.api_base,
            _env.TESTS: "1",
            _env.URL_SESSION_PARAM: self.session_param,
        }
        if self.overrides:
            said[_env.TEST_PAGE_OVERRIDES] = json.dumps(self.overrides)
        if self.api_socket is not None:
            said[_env.INTERNAL_API_SOCKET] = self.api_socket()
        before, path = {name: os.environ.get(name) for name in _OURS}, list(sys.path)
        _put({name: said.get(name) for name in _OURS}, [*self.sys_path, *path])
        try:
            yield
        finally:
            _put(before, path)


def _put(environ: Mapping[str, str | None], path: Sequence[str]) -> None:
    for name, value in environ.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    sys.path[:] = path
