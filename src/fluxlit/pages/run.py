"""One run of a page: what it can give, what it has given already, and what it must clean up."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from types import CoroutineType, TracebackType
from typing import Any, Self

from fluxlit.pages.visit import Visit

Call = Callable[..., Any]


class Coroutines:
    """Runs the coroutines of one run, all on one loop, so that what one opens another can use."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._thread: ThreadPoolExecutor | None = None

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end and return its result."""
        if self._runner is None:
            self._runner = asyncio.Runner()
            if _in_a_loop():  # a test's; the script's own thread never has one
                self._thread = ThreadPoolExecutor(1, "fluxlit-page")
        if self._thread is None:
            return self._runner.run(coroutine)
        context = contextvars.copy_context()
        return self._thread.submit(context.run, self._runner.run, coroutine).result()

    def close(self) -> None:
        """Cancel what is left and close the loop."""
        if self._runner is not None:
            close = self._runner.close
            self._thread.submit(close).result() if self._thread else close()
        if self._thread is not None:
            self._thread.shutdown()


class Run:
    """One run of one visitor's page; leaving it cleans up, however the page ended.

    Args:
        st: The ``streamlit`` module, or a stand-in.
        provided: What there is to give, by type.
        replaced: Dependencies and what is called in their place; for tests.
        values: Headers and cookies by their parameter's name, in place of the request's; for tests.

    Attributes:
        cache: Values of dependencies so far.
        failures: What dependencies failed with so far, and where.
    """

    def __init__(
        self,
        st: Any,
        provided: Mapping[type, object],
        *,
        replaced: Mapping[Call, Call] | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        self.st = st
        self.provided = provided
        self.replaced = replaced or {}
        self.values = values or {}
        self.cache: dict[Call, object] = {}
        self.failures: dict[Call, tuple[Exception, TracebackType | None]] = {}
        # Most pages need none of these, and a run is short.
        self._visit: Visit | None = None
        self._stack: ExitStack | None = None
        self._coroutines: Coroutines | None = None
        self._trail: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._stack is not None:
                self._stack.__exit__(kind, error, trace)
        finally:
            if self._coroutines is not None:
                self._coroutines.close()

    @property
    def visit(self) -> Visit:
        """The request that opened the page."""
        self._visit = self._visit or Visit(self.st)
        return self._visit

    def call(self, fn: Call, arguments: Mapping[str, object]) -> Any:
        """Call a function of any kind and return what it provides.

        A generator, plain or ``async``, provides the one value that it yields and is continued
        when the run is left.
        """
        if is_generator(fn):
            return self._enter(contextmanager(fn)(**arguments))
        if is_async_generator(fn):
            return self._enter(_Awaited(asynccontextmanager(fn)(**arguments), self._await))
        return self.finish(fn(**arguments))

    def finish(self, result: object) -> Any:
        """Await a coroutine; any other value is returned as it is."""
        return self._await(result) if isinstance(result, CoroutineType) else result

    def show_trail(self, trail: str) -> None:
        """Show a breadcrumb, if there is one, in place of what this run showed before."""
        if not trail:
            return
        if self._trail is None:
            self._trail = self.st.sidebar.empty()
        self._trail.caption(trail)

    def _await(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        self._coroutines = self._coroutines or Coroutines()
        return self._coroutines.run(coroutine)

    def _enter(self, manager: AbstractContextManager[Any]) -> Any:
        value = manager.__enter__()

        def leave(*ending: Any) -> bool:
            manager.__exit__(*ending)
            return False  # a dependency that catches the page's error must not hide it

        self._stack = self._stack or ExitStack()
        self._stack.push(leave)
        return value


class _Awaited(AbstractContextManager[Any]):
    """An asynchronous context manager, entered and left on a run's loop."""

    def __init__(self, manager: Any, wait: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._manager = manager
        self._wait = wait

    def __enter__(self) -> Any:
        return self._wait(self._manager.__aenter__())

    def __exit__(self, *ending: object) -> bool:
        return bool(self._wait(self._manager.__aexit__(*ending)))


def is_generator(fn: Call) -> bool:
    """Tell whether calling *fn* makes a generator; an object's ``__call__`` counts."""
    return any(inspect.isgeneratorfunction(code) for code in (fn, type(fn).__call__))


def is_async_generator(fn: Call) -> bool:
    """Tell whether calling *fn* makes an asynchronous generator."""
    return any(inspect.isasyncgenfunction(code) for code in (fn, type(fn).__call__))


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
