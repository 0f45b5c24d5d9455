"""The settings of the UI: how Streamlit is run, where, and how pages behave."""

from __future__ import annotations

from pydantic import Field, SecretStr

from fluxlit.config._groups import Group
from fluxlit.config._values import (
    Bytes,
    HeaderValue,
    OptionalSeconds,
    Port,
    Seconds,
    Strings,
    Table,
    UIMode,
    UITransport,
    Workers,
)


class Streamlit(Group):
    """Where Streamlit runs and how, and how pages behave."""

    ui_mode: UIMode = Field(
        default="sidecar",
        description="Where the UI runs: in workers of its own, in the gateway's process, or at"
        " streamlit_upstream.",
    )
    streamlit_upstream: Strings = Field(
        default=[],
        description="URLs of the UI where it is remote, by commas: http://10.0.0.5:8501.",
    )
    streamlit_upstream_check_interval_s: Seconds = Field(
        default=2.0, description="Seconds between two looks whether a remote UI is well."
    )
    ui_secret: SecretStr = Field(
        default="",
        validate_default=True,
        repr=False,
        description="What a gateway and `fluxlit ui` share; signs cookies, too. Unset: new at each"
        " start.",
    )
    ui_transport: UITransport = Field(
        default="auto",
        description="How gateway and UI workers meet: Unix sockets, or ports of this machine with a"
        " secret; auto: sockets where there are some.",
    )
    streamlit_host: str = Field(
        default="127.0.0.1", description="UI worker's address where it listens on TCP."
    )
    streamlit_port: Port = Field(
        default=0,
        description="First UI worker's port where it listens on TCP, 0 to 65535, and the next ones"
        " for more of them; 0 picks.",
    )
    ui_workers: Workers = Field(
        default=1,
        description="UI workers that share the visitors, 1 to 64; auto: one for each core.",
    )
    ui_max_rss_mb: int | None = Field(
        default=None,
        gt=0,
        description="Memory of a UI worker, in MiB, above which another takes its place.",
    )
    ui_max_age_s: OptionalSeconds = Field(
        default=None, description="Seconds after which another UI worker takes its place."
    )
    worker_stuck_timeout_s: float = Field(
        default=30.0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds for which a worker's event loop may stand still; 0: for ever.",
    )
    ui_allowed_origins: Strings = Field(
        default=[],
        description="Other origins whose pages may open the UI's WebSocket; * for all.",
    )
    ui_handoff: bool = Field(
        default=True,
        description="Hand a page's WebSocket to the UI worker where possible, else relay it.",
    )
    ui_collector: bool = Field(
        default=True,
        description="Collect garbage when nobody waits, not after each run as Streamlit does.",
    )
    ui_collector_idle_s: Seconds = Field(
        default=1.0, description="Seconds without a run after which garbage is collected."
    )
    ui_collector_growth_bytes: Bytes = Field(
        default=64 * 1024 * 1024,
        description="Memory growth after which it is collected as soon as no page is waited for.",
    )
    ui_collector_limit_bytes: Bytes = Field(
        default=192 * 1024 * 1024,
        description="Memory growth after which it is collected at once, also during runs.",
    )
    ui_frontend: bool = Field(
        default=True,
        description="Answer Streamlit's own files and pages in the gateway; off: in the UI worker.",
    )
    ui_head_html: str = Field(
        default="", description="Markup for the end of each page's head, taken as it is."
    )
    ui_head_file: str = Field(default="", description="A file with more such markup, in UTF-8.")
    ui_content_security_policy: HeaderValue = Field(
        default="",
        description="Content-Security-Policy of the pages; {nonce} is new in each answer.",
    )
    streamlit_run_cli_args: Strings = Field(
        default=[], description="Extra options for Streamlit, such as --theme.base=dark."
    )
    streamlit_page_config: Table = Field(
        default={}, description="Arguments for st.set_page_config on every page."
    )
    strict_page_signatures: bool = Field(
        default=False, description="Refuse a page whose parameters cannot all be provided."
    )
    async_page_depends: bool = Field(
        default=False,
        description="Accepted for older versions: async dependencies of pages always work.",
    )
    experimental_yield_pages: bool = Field(
        default=False, description="Allow pages that yield between their parts."
    )
    url_session_query_param: str = Field(
        default="fluxlit_sid",
        min_length=1,
        description="Query parameter that carries a URL session's id.",
    )
