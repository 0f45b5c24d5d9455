"""Pages written like routes: each declares what it needs, and gets it, checked.

Run it with ``fluxlit dev`` in this folder and open, besides the pages of the sidebar:

* ``/users/2``: a path parameter; ``/users/two`` and ``/users/9`` tell what is wrong with them
* ``/orders?status=open&status=late&min_total=50``: a model that is read from the query string
* ``/?page=orders``: a deep link by the page's name
* ``/payroll``: a page that a guard keeps for visitors with the cookie ``desk_role=payroll``
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import HTTPException
from pydantic import BaseModel, Field

from fluxlit import ApiClient, Cookie, Depends, FluxLit, NavigationModel, PageMeta, Query
from fluxlit.exceptions import PageRefused

app = FluxLit(title="Desk")


# ---------------------------------------------------------------- the API


class User(BaseModel):
    id: int
    name: str
    email: str


class Status(StrEnum):
    OPEN = "open"
    LATE = "late"
    PAID = "paid"


class Order(BaseModel):
    id: int
    user_id: int
    status: Status
    total: float


USERS = [
    User(id=1, name="Ada", email="ada@example.com"),
    User(id=2, name="Grace", email="grace@example.com"),
]
ORDERS = [
    Order(id=10, user_id=1, status=Status.OPEN, total=120),
    Order(id=11, user_id=1, status=Status.PAID, total=80),
    Order(id=12, user_id=2, status=Status.LATE, total=40),
    Order(id=13, user_id=2, status=Status.OPEN, total=60),
]


@app.api.get("/users")
def list_users(q: str = "") -> list[User]:
    return [user for user in USERS if q.lower() in user.name.lower()]


@app.api.get("/users/{user_id}")
def get_user(user_id: int) -> User:
    found = next((user for user in USERS if user.id == user_id), None)
    if found is None:
        raise HTTPException(404, f"There is no user {user_id}.")
    return found


@app.api.get("/orders")
def list_orders(user_id: int | None = None) -> list[Order]:
    return [order for order in ORDERS if user_id in (None, order.user_id)]


# ---------------------------------------------------------------- what pages share


class Visitor(BaseModel):
    role: str = "guest"


def visitor(desk_role: Annotated[str, Cookie()] = "guest") -> Visitor:
    """Tell who is looking. A real app asks its login; this one believes a cookie."""
    return Visitor(role=desk_role)


def payroll_only(who: Annotated[Visitor, Depends(visitor)]) -> None:
    if who.role != "payroll":
        raise PageRefused("This page is for the payroll office.")


class OrderFilter(BaseModel):
    status: list[Status] = []
    min_total: float = Field(default=0, ge=0)


# ---------------------------------------------------------------- the pages


@app.page("/", icon="🏠")
def home(st: Any, who: Annotated[Visitor, Depends(visitor)]) -> None:
    """Say hello."""
    st.title("Desk")
    st.text(f"You are a {who.role}")
    app.link(orders, filters=OrderFilter(status=[Status.LATE])).show(st, "Late orders")


@app.page("/users", icon="👥")
def users(st: Any, client: ApiClient, q: str = "") -> None:
    """Find somebody."""
    st.title("Users")
    for user in client.call(list_users, q=q):
        app.link(user_page, user_id=user.id).show(st, user.name)


@app.page("/users/{user_id}", title="User", icon="👤")
def user_page(st: Any, client: ApiClient, user_id: int) -> PageMeta:
    """Show one person and what they ordered."""
    user = client.call(get_user, user_id=user_id)
    st.title(user.name)
    st.text(user.email)
    if st.button("Count"):
        st.session_state["count"] = st.session_state.get("count", 0) + 1
    st.text(f"count {st.session_state.get('count', 0)}")
    st.dataframe([order.model_dump() for order in client.call(list_orders, user_id=user_id)])
    return PageMeta(page_title=f"{user.name} · Desk", breadcrumb=["Users", user.name])


@app.page("/orders", icon="🧾")
def orders(st: Any, client: ApiClient, filters: Annotated[OrderFilter, Query()]) -> None:
    """Show orders by status and size."""
    st.title("Orders")
    wanted = filters.status or list(Status)
    for order in client.call(list_orders):
        if order.status in wanted and order.total >= filters.min_total:
            st.text(f"order {order.id} {order.status} {order.total:g}")


@app.page("/payroll", icon="💶", requires=payroll_only)
async def payroll(st: Any) -> None:
    """Pay."""
    st.title("Payroll")


app.navigation(
    NavigationModel(
        order=("/", "/users", "/orders", "/payroll"),
        sections={"People": ("/users", "/users/{user_id}"), "Money": ("/orders", "/payroll")},
    )
)
