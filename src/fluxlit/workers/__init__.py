"""Workers: child processes that serve, and what keeps the set of them alive.

One child is a :class:`~fluxlit.workers.process.WorkerProcess` with one life,
``starting → ready → draining → gone``; a :class:`~fluxlit.workers.pool.WorkerPool` keeps N of a
kind alive. Supervisor and plain Uvicorn use the same two.
"""

from __future__ import annotations
