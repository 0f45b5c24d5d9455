from __future__ import annotations

import streamlit as st

st.title("Orders")
st.session_state["visits"] = st.session_state.get("visits", 0) + 1
st.text(f"visits {st.session_state['visits']}")
amount = st.number_input("Amount", min_value=0, value=2)
st.text(f"total {amount * 7}")
