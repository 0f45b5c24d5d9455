"""The Streamlit script of an app whose pages are functions; run anew for each interaction."""

from __future__ import annotations

import os

from fluxlit import _env
from fluxlit._streamlit.module import st
from fluxlit._streamlit.navigation import Menu
from fluxlit.exceptions import FluxLitError
from fluxlit.pages.errors import show_unloaded
from fluxlit.pages.runner import run_site, show_menu
from fluxlit.runtime.loading import find_app, last_app

target = os.environ[_env.APP]
# Found by name each time: in development edited modules are forgotten.
try:
    app = find_app(target)
except FluxLitError as error:
    if (before := last_app(target)) is not None:
        show_menu(st, before.site(), Menu)
    show_unloaded(st, error)
else:
    run_site(st, app.site(), Menu)
