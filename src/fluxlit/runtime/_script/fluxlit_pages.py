"""The Streamlit script of an app whose pages are functions; run anew for each interaction."""

from __future__ import annotations

import os

from fluxlit import _env
from fluxlit._streamlit.module import st
from fluxlit._streamlit.navigation import Menu
from fluxlit.pages.runner import run_site
from fluxlit.runtime.loading import find_app

# Found by name each time: in development Streamlit forgets edited modules.
run_site(st, find_app(os.environ[_env.APP]).site(), Menu)
