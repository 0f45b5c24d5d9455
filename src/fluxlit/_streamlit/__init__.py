"""The one room that touches Streamlit.

Every name of Streamlit's that is not part of its documented interface is used here and nowhere
else, and listed in :mod:`fluxlit._streamlit.seams` with a contract test, so that a new Streamlit
release breaks one test with a clear message instead of a service.

Importing this package does not import Streamlit; its modules do.
"""

from __future__ import annotations
