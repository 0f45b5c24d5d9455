"""The page's side of a login: from the code in the address to a client that sends the token."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from fluxlit._private_state import TOKEN_KEY, keep_private
from fluxlit.auth.sealing import browser_of
from fluxlit.client import ApiClient

__all__ = [
    "bearer_headers_from_session",
    "exchange_auth_code_from_query",
    "prepare_streamlit_api_client",
]

SESSION_KEY: Final = TOKEN_KEY
EXCHANGE_PATH: Final = "/auth/exchange"
QUERY_KEY: Final = "auth_code"


def exchange_auth_code_from_query(
    st_module: Any,
    client: ApiClient,
    *,
    exchange_path: str = EXCHANGE_PATH,
    query_key: str = QUERY_KEY,
    session_key: str = SESSION_KEY,
) -> str | None:
    """Exchange the code that a login has put into the address for a token, and keep the token.

    The code is good once, for two minutes, and only in the browser that began the login.

    Args:
        st_module: Streamlit.
        client: Calls the API.
        exchange_path: Where the API exchanges codes.
        query_key: The code's name in the address.
        session_key: The token's name in ``st.session_state``.

    Returns:
        The token; None when the address has no code.

    Raises:
        ApiError: The API refuses the code, or fails.
        ValueError: Its answer has no token.
    """
    keep_private(session_key)
    code = st_module.query_params.get(query_key)
    if not code:
        return None
    answer = client.post(exchange_path, json={"code": code, **_browser(st_module)})
    if answer.status_code < 500:  # used or refused, it is good for nothing more
        _forget(st_module, query_key)
    body = answer.raise_for_status().json()
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token:
        msg = f"{exchange_path} answered without an access_token"
        raise ValueError(msg)
    st_module.session_state[session_key] = token
    return token


def prepare_streamlit_api_client(
    st_module: Any,
    *,
    exchange_path: str = EXCHANGE_PATH,
    session_key: str = SESSION_KEY,
    **client_options: Any,
) -> ApiClient:
    """Return a client that calls the API as the user who has signed in.

    A code in the address is exchanged first. Without one, and before a login, the client sends no
    token.

    Args:
        st_module: Streamlit.
        exchange_path: Where the API exchanges codes.
        session_key: The token's name in ``st.session_state``.
        client_options: Arguments of :class:`~fluxlit.client.ApiClient`.

    Raises:
        ApiError: The API fails, or refuses the code.

    Example:
        >>> @app.page("/")
        ... def home(st: Any) -> None:
        ...     client = prepare_streamlit_api_client(st)
        ...     answer = client.get("/me")
        ...     if answer.status_code == 401:
        ...         st.link_button("Sign in", "api/auth/login")
    """
    keep_private(session_key)
    client = ApiClient(**client_options)
    token = st_module.session_state.get(session_key)
    if token:
        _forget(st_module, QUERY_KEY)
    else:
        try:
            token = exchange_auth_code_from_query(
                st_module, client, exchange_path=exchange_path, session_key=session_key
            )
        finally:
            client.close()
    return client.with_bearer(token) if token else client


def bearer_headers_from_session(
    st_module: Any, *, session_key: str = SESSION_KEY
) -> dict[str, str]:
    """Return the header that names the user who has signed in; empty before a login.

    Args:
        st_module: Streamlit.
        session_key: The token's name in ``st.session_state``.
    """
    keep_private(session_key)
    token = st_module.session_state.get(session_key)
    return {"Authorization": f"Bearer {token}"} if token else {}


def _browser(st_module: Any) -> dict[str, str]:
    """Say which browser this is, so that a code of another one is refused.

    Only where there is a browser: stand-ins for Streamlit in tests have none.
    """
    cookies = getattr(getattr(st_module, "context", None), "cookies", None)
    return {} if cookies is None else {"browser": browser_of(cookies)}


def _forget(st_module: Any, query_key: str) -> None:
    """Take the code out of the address, where a reload would bring it again."""
    with contextlib.suppress(KeyError, TypeError, AttributeError):  # stand-ins may lack it
        del st_module.query_params[query_key]
