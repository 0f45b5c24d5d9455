"""The machinery: the API's documentation, its live health, and its routes."""

from __future__ import annotations

from time import perf_counter
from types import ModuleType
from typing import Any

from fluxlit import FluxLit
from fluxlit.client import ApiClient
from fluxlit.demo.pages import frame
from fluxlit.exceptions import FluxLitError
from fluxlit.logging import REQUEST_ID_HEADER

_PROBES = {"Alive": "/healthz", "Ready": "/readyz", "Overview": "/overview?days=28"}


def register(app: FluxLit) -> None:
    app.page("/system", title="API and health", icon=":material/api:")(system)


def system(st: ModuleType, client: ApiClient, app: FluxLit) -> None:
    frame.head(
        st, "API and health", "Pages and API share one origin: what the pages use, you can use."
    )
    root = f"{app.settings.public_mount_path()}{app.settings.api_prefix()}"
    with st.container(horizontal=True):
        st.link_button(
            "API documentation", f"{root}{app.api.docs_url}", icon=":material/description:",
            type="primary",
        )  # fmt: skip
        st.link_button("OpenAPI", f"{root}{app.api.openapi_url}", icon=":material/data_object:")
        st.link_button("Health", f"{root}/healthz", icon=":material/monitor_heart:")
        st.link_button("Readiness", f"{root}/readyz", icon=":material/task_alt:")
    st.subheader("Live", anchor=False)
    st.fragment(run_every="5s")(_probes)(st, client)
    st.subheader("Routes", anchor=False)
    with frame.api_errors_shown(st, "The routes cannot be shown"):
        document = client.get("/openapi.json").raise_for_status().json()
    st.dataframe(_routes(document, root), width="stretch", hide_index=True)
    st.subheader("From a terminal", anchor=False)
    origin = "/".join(st.context.url.split("/")[:3])
    st.code(
        f"curl '{origin}{root}/incidents?priority=critical&page_size=3'\n"
        f"curl '{origin}{root}/incidents.csv?breached=true' -o late.csv\n"
        f"curl '{origin}{root}/imports?dry_run=true' -H 'content-type: text/csv'"
        " --data-binary @late.csv",
        language="bash",
    )


def _probes(st: ModuleType, client: ApiClient) -> None:
    for column, (name, path) in zip(st.columns(len(_PROBES)), _PROBES.items(), strict=True):
        started = perf_counter()
        try:
            answer = client.get(path)
        except FluxLitError as error:
            column.error(f"{name}: {error}", icon=":material/cloud_off:")
            continue
        milliseconds = (perf_counter() - started) * 1000
        good = answer.is_success
        with column.container(border=True):
            st.markdown(f"**{name}** `{path}`")
            st.badge(
                f"{answer.status_code} in {milliseconds:.0f} ms",
                icon=":material/check:" if good else ":material/warning:",
                color="green" if good else "red",
            )
            st.caption(f"Request {answer.headers.get(REQUEST_ID_HEADER, 'without an id')}")


def _routes(document: dict[str, Any], root: str) -> list[dict[str, str]]:
    return [
        {
            "Method": method.upper(),
            "Path": f"{root}{path}",
            "What it does": operation.get("description") or operation.get("summary", ""),
        }
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
