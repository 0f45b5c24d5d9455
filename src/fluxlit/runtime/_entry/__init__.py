"""What a worker process runs. Each module is started with ``python -m`` and a channel."""

from __future__ import annotations

import gc
import sys

if sys.argv[0] == "-m":  # what Python says while it looks for the module of a worker
    # Imports leave little garbage, and looking for it is a tenth of their time. It is turned on
    # when the worker is ready (workers/collector.py).
    gc.disable()
