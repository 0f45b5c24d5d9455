"""A Streamlit application as one finds it: it knows nothing of FluxLit."""

from __future__ import annotations

import streamlit as st
from stock_data import ITEMS  # type: ignore[import-not-found]  # found beside the script

st.set_page_config(page_title="Warehouse", page_icon="📦")
st.title("Warehouse")
st.text(f"items {len(ITEMS)}")
st.text(f"upload limit {st.get_option('server.maxUploadSize')}")
st.text(f"theme {st.get_option('theme.primaryColor')}")
st.text(f"secret {st.secrets['warehouse']['token']}")
st.markdown("[notice](app/static/notice.txt)")
st.image("static/mark.png", width=32)
st.session_state.setdefault("visits", 0)
st.page_link("pages/1_Orders.py", label="See the orders")
