"""What a type checker says about ``client.call``; the checks are the ``type: ignore`` comments.

An ignore that is not needed is an error, so each of them proves that the call above is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, assert_type

from fastapi import Depends
from pydantic import BaseModel

from fluxlit import ApiClient, FluxLit
from fluxlit.client import injected


class User(BaseModel):
    name: str


class Database: ...


app = FluxLit()


@app.api.get("/users/{user_id}")
def get_user(user_id: int, verbose: bool = False) -> User:
    return User(name=f"{user_id} {verbose}")


@app.api.get("/users")
async def list_users(db: Annotated[Database, Depends(Database)] = injected) -> list[User]:
    return [User(name=str(db))]


@app.api.get("/old")
def old_style(user_id: int, db: Database = Depends(Database)) -> str:  # noqa: B008
    return f"{user_id} {db}"


def calls(client: ApiClient) -> None:
    assert_type(client.call(get_user, user_id=3), User)
    assert_type(client.call(get_user, 3, verbose=True), User)
    assert_type(client.call(list_users), list[User])
    assert_type(client.call(old_style, user_id=1), str)
    client.call(get_user)  # type: ignore[call-overload]
    client.call(get_user, user_id="3")  # type: ignore[call-overload]
    client.call(get_user, id=3)  # type: ignore[call-overload]
    client.call(get_user, 3, True, 4)  # type: ignore[call-overload]


@app.page("/", requires=[old_style], visible=False)
def page(st: Any) -> None:
    st.write("kept as it is")


if TYPE_CHECKING:
    page(1)
    page()  # type: ignore[call-arg]
    app.page("/x", icn="x")  # type: ignore[call-arg]
    app.page("/x", title=3)  # type: ignore[arg-type]


def test_this_file_is_what_a_type_checker_reads() -> None:
    assert app.page_records[0].fn is page
