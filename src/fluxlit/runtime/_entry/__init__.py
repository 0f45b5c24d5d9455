"""What a worker process runs. Each module is started with ``python -m`` and a channel."""

from __future__ import annotations
