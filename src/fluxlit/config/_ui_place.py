"""The settings that say where the UI runs, and how a gateway reaches it there."""

from __future__ import annotations

from pydantic import Field, SecretStr

from fluxlit.config._groups import Group
from fluxlit.config._values import Port, Seconds, Strings, UIMode, UITransport


class UIPlace(Group):
    """Where the UI runs, and how a gateway reaches it there."""

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
