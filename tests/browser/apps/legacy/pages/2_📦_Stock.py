from __future__ import annotations

import pandas as pd
import streamlit as st
from stock_data import ITEMS  # type: ignore[import-not-found]  # found beside the script

st.title("Stock")
st.dataframe(pd.DataFrame({"item": list(ITEMS), "count": list(ITEMS.values())}))
uploaded = st.file_uploader("Delivery note")
if uploaded is not None:
    st.text(f"received {len(uploaded.getvalue())}")
st.download_button("Inventory", "\n".join(ITEMS), file_name="inventory.txt")
