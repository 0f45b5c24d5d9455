"""Experimental behaviour that an app has switched on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

from fluxlit import _env
from fluxlit.config import FluxlitSettings


@dataclass(frozen=True, slots=True)
class FluxlitFeatureFlags:
    """The flags, for a page that asks for them: ``def page(st, flags: FluxlitFeatureFlags)``.

    Attributes:
        experimental_yield_pages: Page functions may be generators.
    """

    experimental_yield_pages: bool

    @classmethod
    def from_environ(cls) -> Self:
        """Read the flags from ``FLUXLIT_EXPERIMENTAL_*`` variables."""
        return cls(_env.is_truthy(os.environ.get(_env.EXPERIMENTAL_YIELD_PAGES)))

    @classmethod
    def of(cls, settings: FluxlitSettings) -> Self:
        """Return what the settings switch on, which have read the environment already."""
        return cls(settings.experimental_yield_pages)
