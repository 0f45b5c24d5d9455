from __future__ import annotations

from unittest.mock import Mock

import pytest

from fluxlit import FluxLit
from fluxlit.config import load_settings
from fluxlit.config.deployment import memory_limit
from fluxlit.config.rules import GATEWAY_MEMORY
from fluxlit.exceptions import ConfigurationError
from fluxlit.runtime._entry.gateway import serve_gateway
from fluxlit.runtime._entry.lifeline import Lifeline
from fluxlit.workers.spec import WorkerSpec


def test_a_strict_start_counts_the_other_gateway_workers() -> None:
    """As ``fluxlit doctor --workers`` and ``fluxlit config --workers`` do."""
    many = memory_limit() // GATEWAY_MEMORY + 1
    spec = WorkerSpec("app:app", "", workers=many)
    app = FluxLit(settings=load_settings(strict_startup=True))
    lifeline = Mock(spec=Lifeline)
    with pytest.raises(ConfigurationError, match=f"workers_above_memory: {many} gateway"):
        serve_gateway(lifeline, spec, app)
    lifeline.report.assert_not_called()
