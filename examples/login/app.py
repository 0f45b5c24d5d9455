"""An app whose users sign in with OpenID Connect. See docs/auth.md.

Register http://127.0.0.1:8000/api/auth/callback at your identity provider, then:

    export OIDC_ISSUER=https://id.example OIDC_CLIENT_ID=desk OIDC_CLIENT_SECRET=...
    export FLUXLIT_OIDC_BFF_SECRET=$(openssl rand -hex 32)
    export FLUXLIT_PUBLIC_BASE_URL=http://127.0.0.1:8000
    fluxlit run
"""

from __future__ import annotations

import os
from typing import Annotated, Any

from fastapi import Depends
from pydantic import BaseModel

from fluxlit import (
    ApiClient,
    FluxLit,
    FluxLitPublicUrls,
    GenericOIDCClient,
    GenericOIDCClientConfig,
    StandardClaims,
    bearer_headers_from_session,
    prepare_streamlit_api_client,
)
from fluxlit.client import ApiUnauthorizedError
from fluxlit.exceptions import PageRefused

app = FluxLit(title="Desk")

app.attach_oidc_login(
    GenericOIDCClient(
        GenericOIDCClientConfig(
            os.environ["OIDC_ISSUER"],
            os.environ["OIDC_CLIENT_ID"],
            os.environ["OIDC_CLIENT_SECRET"],
        )
    ),
    keep_claims=("name", "email"),
)
Claims = Annotated[StandardClaims, Depends(app.make_jwt_bearer())]


class User(BaseModel):
    id: str
    name: str
    email: str


@app.api.get("/me")
def me(claims: Claims) -> User:
    return User(
        id=claims.sub or "",
        name=getattr(claims, "name", ""),
        email=getattr(claims, "email", ""),
    )


def as_user(st: Any) -> ApiClient:
    return prepare_streamlit_api_client(st)


@app.page("/", title="Desk")
def desk(st: Any, urls: FluxLitPublicUrls, client: Annotated[ApiClient, Depends(as_user)]) -> None:
    st.title("Desk")
    try:
        user = client.get_model("/me", User)
    except ApiUnauthorizedError:
        sign_in = urls.api_path("/auth/login")
        st.markdown(f'<a href="{sign_in}" target="_self">Sign in</a>', unsafe_allow_html=True)
        return
    st.text(f"{user.name} <{user.email}>")
    st.button("Again")


def signed_in(st: Any, _: Annotated[ApiClient, Depends(as_user)]) -> None:
    if not bearer_headers_from_session(st):
        raise PageRefused("Please sign in.")


@app.page("/account", title="Account", requires=signed_in)
def account(st: Any, client: Annotated[ApiClient, Depends(as_user)]) -> None:
    st.title("Account")
    st.json(client.get_model("/me", User).model_dump())
