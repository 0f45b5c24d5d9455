"""Who is told when a script fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from streamlit.runtime import RuntimeConfig, fragment
from streamlit.runtime.scriptrunner import exec_code

OnError = Callable[[Exception], bool]
"""Shows an error; True says that nothing else is to be shown."""


def asks(on_error: OnError | None) -> dict[str, Any]:
    """Return the part of a Runtime's configuration by which Streamlit asks us to show errors.

    Releases before ``on_script_error`` get ours in place of their own function.
    """
    if on_error is None:
        return {}
    if "on_script_error" in {field.name for field in fields(RuntimeConfig)}:
        return {"on_script_error": on_error}
    for module in (exec_code, fragment):
        vars(module)["handle_uncaught_app_exception"] = on_error
    return {}
