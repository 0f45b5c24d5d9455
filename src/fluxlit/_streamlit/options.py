"""Streamlit's options for a UI worker: what FluxLit fixes, what it prefers, what the user says.

Three layers, strongest first: the *fixed* ones that make a worker a worker, the user's own
(``streamlit_run_args``, ``STREAMLIT_*`` variables, ``config.toml``), and FluxLit's *preferences*,
which apply only where the user said nothing.
"""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click
from streamlit import config
from streamlit.web import bootstrap

from fluxlit.exceptions import ConfigurationError

_Source = click.core.ParameterSource

RESERVED: Final = ("server.port", "server.address", "server.baseUrlPath")
"""Where a UI worker listens and under which path is decided by FluxLit."""


def parse_run_args(args: Sequence[str]) -> dict[str, object]:
    """Read ``--section.option=value`` arguments exactly as ``streamlit run`` does.

    Args:
        args: The arguments, without a script.

    Returns:
        Options by their dotted name, as Streamlit converts them; those of ``STREAMLIT_*``
        variables too, which Streamlit reads in the same place.

    Raises:
        ConfigurationError: An option that Streamlit does not know or FluxLit reserves.

    Example:
        >>> parse_run_args(["--server.maxUploadSize=400"])
        {'server.maxUploadSize': 400}
    """
    if not args and not any(name.startswith("STREAMLIT_") for name in os.environ):
        return {}
    from streamlit.web.cli import main_run  # noqa: PLC0415 - a tenth of a second of imports

    try:
        context = main_run.make_context("streamlit_run_args", [*args, "script.py"])
    except click.ClickException as exc:
        msg = f"streamlit_run_args: {exc.format_message()}"
        raise ConfigurationError(msg, remedy="see `streamlit run --help` for its options") from exc
    except SystemExit as exc:  # how Streamlit refuses a secret on a command line
        raise ConfigurationError(f"streamlit_run_args: {exc}") from exc
    said: dict[_Source, dict[str, object]] = {_Source.COMMANDLINE: {}, _Source.ENVIRONMENT: {}}
    for name, value in context.params.items():
        source = context.get_parameter_source(name)
        if source is not None and source in said and "_" in name:
            said[source][name.replace("_", ".")] = value
    for name in RESERVED:
        said[_Source.ENVIRONMENT].pop(name, None)
        if name in said[_Source.COMMANDLINE]:
            msg = f"streamlit_run_args sets {name}, which FluxLit decides"
            remedy = "use --host and --port for the service, FLUXLIT_UI_PATH or FLUXLIT_ROOT_PATH"
            raise ConfigurationError(msg, remedy=remedy)
    return {**said[_Source.ENVIRONMENT], **said[_Source.COMMANDLINE]}


def apply_options(
    script: Path,
    *,
    fixed: Mapping[str, object],
    given: Mapping[str, object],
    preferred: Mapping[str, object],
    watch: bool,
) -> None:
    """Load Streamlit's configuration for *script* with our layers in place.

    Args:
        script: The main script; ``.streamlit`` is looked for beside it and in the working folder.
        fixed: Options nobody else may set.
        given: Options from ``streamlit_run_args``.
        preferred: Options used where neither *given*, environment nor a file sets them.
        watch: Follow edits of ``config.toml``.
    """
    config._main_script_path = str(script)  # noqa: SLF001 - how `streamlit run` says it
    taken = {*given, *_said_in_files()}
    open_choices = {key: value for key, value in preferred.items() if key not in taken}
    # As flags, not set_option: an edit of config.toml parses everything anew and keeps flags.
    flags: dict[str, object] = {**open_choices, **given, **fixed}
    bootstrap.load_config_options(flags)
    if watch:
        bootstrap._install_config_watchers(flags)  # noqa: SLF001 - as `streamlit run` does


def _said_in_files() -> set[str]:
    """Return the options that the user's ``config.toml`` files set, or a secret variable does."""
    said = {
        key
        for key, option in config._config_options_template.items()  # noqa: SLF001 - no other list
        if option.sensitive and option.env_var in os.environ
    }
    for name in config.get_config_files("config.toml"):
        with contextlib.suppress(OSError, tomllib.TOMLDecodeError):  # Streamlit will complain
            values = tomllib.loads(Path(name).read_text(encoding="utf-8"))
            said |= {
                f"{section}.{key}"
                for section, options in values.items()
                if isinstance(options, dict)
                for key in options
            }
    return said
