"""What a worker process runs. Each module is started with ``python -m`` and a channel."""

from __future__ import annotations

import sys

from fluxlit.workers.orphan import end_with_parent

# While "python -m" looks for the module that it is to run, and for nobody else. As early as that,
# because imports take a second or more, in which the parent may die.
if sys.argv[:1] == ["-m"]:
    end_with_parent()
