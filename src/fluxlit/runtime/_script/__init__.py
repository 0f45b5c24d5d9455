"""Home of the pages' script, alone in its folder.

Streamlit puts a script's folder in front of the module search path, so nothing else may be here
that a user's import could find by accident.
"""

from __future__ import annotations
