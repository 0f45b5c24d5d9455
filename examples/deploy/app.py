"""Orders by API and page, and a page that takes files: what a deployment has to carry."""

from __future__ import annotations

from typing import Any

from fluxlit import ApiClient, FluxLit

app = FluxLit(title="Order Desk")

WEEK = {"Mon": 42, "Tue": 51, "Wed": 38, "Thu": 60, "Fri": 73, "Sat": 35, "Sun": 23}


@app.api.get("/orders")
def orders() -> list[dict[str, str | int]]:
    return [{"day": day, "orders": number} for day, number in WEEK.items()]


@app.page("/")
def dashboard(st: Any, client: ApiClient) -> None:
    st.title("Orders of the week")
    week = client.get("/orders").json()
    st.metric("Orders", sum(day["orders"] for day in week))
    st.bar_chart(week, x="day", y="orders")


@app.page("/imports", title="Imports")
def imports(st: Any) -> None:
    st.title("Imports")
    file = st.file_uploader("Orders as CSV")
    if file is not None:
        st.text(f"{file.name}: {len(file.getvalue())} bytes")
