"""Logging of a process that FluxLit itself started; an importing program keeps its own."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Final

_FORMAT: Final = "%(asctime)s %(levelname)-8s %(name)s [%(process)d] %(message)s"
_OURS: Final = ("fluxlit", "uvicorn", "uvicorn.error", "uvicorn.asgi")
_KEPT: Final = (*_OURS, "uvicorn.access")


@contextlib.contextmanager
def loggers_kept() -> Iterator[None]:
    """Leave our loggers and the server's as they are, whatever an import in the block does."""
    kept = [(it, it.level, it.propagate, it.handlers[:]) for it in map(logging.getLogger, _KEPT)]
    try:
        yield
    finally:
        for logger, level, propagate, handlers in kept:
            logger.setLevel(level)
            logger.propagate, logger.handlers = propagate, handlers


def configure_logging(level: str) -> None:
    """Send our loggers and the server's to standard error, one line a record.

    Args:
        level: A level name of :mod:`logging`, or Uvicorn's ``"trace"``.
    """
    number = logging.DEBUG if level == "trace" else logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_FORMAT))
    for name in _OURS:
        logger = logging.getLogger(name)
        logger.setLevel(number)
        logger.propagate = False
        logger.handlers = [handler] if name in {"fluxlit", "uvicorn"} else []
    for name in ("uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).propagate = True
    # Uvicorn narrates each worker's start and stop; the supervisor tells that story once.
    logging.getLogger("uvicorn.error").setLevel(max(number, logging.WARNING))
