"""A module beside the script, imported the way scripts do."""

from __future__ import annotations

ITEMS = {"bolt": 40, "nut": 25, "washer": 90}
