from __future__ import annotations

import pytest

from fluxlit import FluxlitSettings
from fluxlit.pages.flags import FluxlitFeatureFlags


def test_what_code_says_stands_above_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUXLIT_EXPERIMENTAL_YIELD_PAGES", "1")
    assert FluxlitFeatureFlags.from_environ() == FluxlitFeatureFlags(experimental_yield_pages=True)
    assert FluxlitFeatureFlags.of(FluxlitSettings()).experimental_yield_pages
    off = FluxlitSettings(experimental_yield_pages=False)
    assert not FluxlitFeatureFlags.of(off).experimental_yield_pages
