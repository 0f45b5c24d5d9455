"""Every setting, once, in groups by purpose. :class:`fluxlit.config.FluxlitSettings` joins them.

A group is a plain model: it knows names, types, defaults and single-value rules, and nothing of
where values come from.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from fluxlit.config._values import (
    Bytes,
    Count,
    HeaderValue,
    LogLevel,
    OptionalSeconds,
    Port,
    Proxies,
    PublicPath,
    Seconds,
    Strings,
    Table,
    Workers,
)


class Group(BaseModel):
    # A group is never made on its own; only the joined class needs a validator, and not at import.
    model_config = ConfigDict(defer_build=True)


class Application(Group):
    """What the application is called and how it reports on itself."""

    title: str = Field(
        default="FluxLit", description="Name of the app, in the API docs and the banner."
    )
    debug: bool = Field(
        default=False, description="Verbose logs and request logging, for development."
    )
    log_level: LogLevel = Field(
        default="info",
        description="critical, error, warning, info, debug or trace; case is ignored.",
    )
    health_detail: bool = Field(
        default=False,
        description="Answer healthz/workers to everybody, not only on the private socket.",
    )
    strict_startup: bool = Field(
        default=False, description="Refuse to start on a doubtful deployment configuration."
    )


class Addresses(Group):
    """Where the one public port listens, and which paths it gives to the API and to the UI."""

    gateway_host: str = Field(default="127.0.0.1", description="Address the gateway binds.")
    gateway_port: Port = Field(
        default=8000, description="Port of the gateway, 0 to 65535; 0 picks one."
    )
    api_mount_path: PublicPath = Field(
        default="/api",
        description='Prefix of the API under the mount; "/" with a ui_path of its own.',
    )
    ui_path: PublicPath = Field(
        default="/",
        description="Path of the UI under the mount; another one leaves the root to the API.",
    )
    root_path: PublicPath = Field(
        default="", description="Public path of the whole app behind a proxy, such as /apps/my-app."
    )
    streamlit_public_path: PublicPath = Field(
        default="", description="Older name of root_path; used when that is blank."
    )
    public_base_url: str = Field(
        default="", description="Public URL of the app; PUBLIC_BASE_URL is read when this is empty."
    )
    strict_public_base_url: bool = Field(
        default=False, description="Treat a doubtful public_base_url as an error."
    )


class TrustedProxy(Group):
    """What is believed of the proxy in front."""

    trust_proxy: bool = Field(
        default=False, description="Believe forwarding headers sent by forwarded_allow_ips."
    )
    forwarded_allow_ips: Proxies = Field(
        default=None,
        description="Comma-separated addresses or networks of trusted proxies; * for all.",
    )


class Gateway(Group):
    """Limits and timeouts between the gateway and the UI. Times in seconds; sizes in bytes."""

    gateway_upstream_connect_timeout_s: Seconds = Field(
        default=30.0, description="Seconds to wait for a connection to the UI."
    )
    gateway_upstream_read_timeout_s: Seconds = Field(
        default=120.0, description="Seconds to wait for the UI's next bytes."
    )
    gateway_httpx_max_connections: Count = Field(
        default=0, description="Most HTTP connections to a UI worker; 0 sets no limit."
    )
    gateway_httpx_max_keepalive_connections: Count = Field(
        default=0,
        description="Most idle connections kept to a UI worker; 0: 64, or as many as there may be.",
    )
    gateway_max_concurrent_upstream_http: Count = Field(
        default=0, description="Most UI requests that wait for an answer at once; 0 sets no limit."
    )
    gateway_max_proxy_request_body_bytes: Count = Field(
        default=0,
        description="Largest request body passed on to the UI, in bytes; 0 sets no limit.",
    )
    gateway_queue_timeout_s: Seconds = Field(
        default=5.0, description="Seconds that a UI request may wait for its turn."
    )
    gateway_client_timeout_s: Seconds = Field(
        default=60.0,
        description="Seconds that a client may neither send what it announced nor read.",
    )
    gateway_keep_alive_timeout_s: Seconds = Field(
        default=75.0, description="Seconds that an idle connection of a client is kept."
    )
    gateway_max_request_head_bytes: int = Field(
        default=65536, gt=0, description="Largest head of a request, in bytes."
    )
    gateway_request_head_timeout_s: Seconds = Field(
        default=10.0, description="Seconds that a client has to send a request's head."
    )
    gateway_forward_client_headers_to_streamlit: Strings = Field(
        default=[],
        description="Client headers that pages may read whoever sends them, by name; at most 32.",
        max_length=32,
    )
    gateway_ws_open_timeout_s: Seconds = Field(
        default=30.0, description="Seconds to wait for the UI to accept a WebSocket."
    )
    gateway_ws_close_timeout_s: OptionalSeconds = Field(
        default=None,
        description="Seconds to wait for the answer to a WebSocket's close; unset: 10.",
    )
    gateway_ws_ping_interval_s: OptionalSeconds = Field(
        default=None, description="Seconds between WebSocket pings; unset: at most 30 to browsers."
    )
    gateway_ws_ping_timeout_s: OptionalSeconds = Field(
        default=None,
        description="Seconds to wait for the answer to a WebSocket ping; unset: at most 30.",
    )
    gateway_ws_max_message_bytes: int | None = Field(
        default=None,
        gt=0,
        description="Largest WebSocket message, in bytes; unset: 200 MB, as Streamlit.",
    )
    gateway_spare: bool = Field(
        default=True,
        description="Keep a process waiting that takes over if the only gateway worker dies.",
    )
    uvicorn_graceful_shutdown_timeout_s: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Seconds that requests in flight get to finish at shutdown.",
    )


class Streamlit(Group):
    """How a UI worker runs Streamlit, and how pages behave."""

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
        description="Accepted, for settings of older versions: async dependencies of pages always"
        " work.",
    )
    experimental_yield_pages: bool = Field(
        default=False, description="Allow pages that yield between their parts."
    )
    url_session_query_param: str = Field(
        default="fluxlit_sid",
        min_length=1,
        description="Query parameter that carries a URL session's id.",
    )


class Api(Group):
    """Cross-origin rules and response headers of the API."""

    cors_allow_origins: Strings = Field(
        default=[],
        description="Origins that may call the API from a browser; none switches CORS off.",
    )
    cors_allow_credentials: bool = Field(
        default=False, description="Let those origins send cookies."
    )
    cors_middleware_kwargs: Table = Field(
        default={}, description="More arguments for Starlette's CORSMiddleware."
    )
    enable_security_headers: bool = Field(
        default=False, description="Add nosniff, frame, referrer and HSTS headers to API answers."
    )


class Observability(Group):
    """What is logged and counted."""

    enable_gateway_access_log: bool = Field(
        default=False, description="Log one line for each request of the gateway."
    )
    enable_request_logging: bool = Field(
        default=False, description="Log one line for each request of the API."
    )
    enable_gateway_prometheus_metrics: bool = Field(
        default=False, description="Count requests and serve the counts to Prometheus."
    )
    gateway_prometheus_metrics_path: str = Field(
        default="/__fluxlit/metrics", description="Path of those counts."
    )


class Auth(Group):
    """Keys and rules for tokens. Secrets are never shown."""

    # The defaults are written as text and validated, so that the schema and the docs can show them.
    jwt_hs256_secret: SecretStr = Field(
        default="", validate_default=True, repr=False, description="Shared secret of HS256 tokens."
    )
    jwt_jwks_url: str = Field(default="", description="URL of the issuer's public keys.")
    jwt_issuer: str = Field(default="", description="Issuer that a token must name.")
    jwt_audience: str = Field(default="", description="Audience that a token must name.")
    jwt_leeway_seconds: Count = Field(
        default=0, description="Clock difference tolerated, in seconds."
    )
    oidc_bff_secret: SecretStr = Field(
        default="",
        validate_default=True,
        repr=False,
        description="Secret that seals login states.",
    )
