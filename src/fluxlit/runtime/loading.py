"""From a target to the app object: the import of the user's code, and what to say if it fails."""

from __future__ import annotations

import functools
import importlib
import itertools
import sys
import traceback
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from fluxlit._frames import is_installed, is_machinery
from fluxlit._signals import AskedToEnd
from fluxlit._types import JsonValue
from fluxlit.app import FluxLit
from fluxlit.exceptions import FluxLitError, TargetError
from fluxlit.runtime.targets import Target, parse_target, source_folder


def load_app(text: str, overrides: Mapping[str, JsonValue] | None = None) -> FluxLit:
    """Import the app that a target names, with the settings of the command line.

    A bare script gets an app with an empty API.

    Args:
        text: The target.
        overrides: Settings that flags said, by name.

    Raises:
        TargetError: It cannot be imported or is not a FluxLit app; the message holds the user's
            own frames of the error.
        ConfigurationError: A setting is not allowed.
    """
    app = _load(text)
    app.override_settings(overrides or {})
    _loaded[text] = _Loaded(app, overrides)
    return app


class _Loaded(NamedTuple):
    """An app, and the flags that hold for it however often it is loaded anew."""

    app: FluxLit
    overrides: Mapping[str, JsonValue] | None


_loaded: dict[str, _Loaded] = {}
"""By target, what was loaded last."""


def last_app(text: str) -> FluxLit | None:
    """Return the app of a target as it was loaded last, although its modules may be forgotten."""
    return _loaded[text].app if text in _loaded else None


def _load(text: str) -> FluxLit:
    target = parse_target(text)
    if target.is_script and target.file is not None:
        return FluxLit(
            title=target.file.stem.replace("_", " ").title(), streamlit_script=target.file
        )
    module = _import(target, text)
    try:
        found: object = attrgetter(target.attribute)(module)
    except AttributeError:
        msg = f"the module {target.module!r} has no attribute {target.attribute!r}"
        raise TargetError(msg, remedy=_suggest(module, target)) from None
    if not isinstance(found, FluxLit):
        msg = f"{text!r} is {type(found).__name__!r}, not a FluxLit app"
        raise TargetError(msg, remedy=_suggest(module, target))
    return found


def find_app(text: str) -> FluxLit:
    """Return the app of a target that this process has loaded before: a look-up by name.

    In development edited modules are forgotten; the app's is then imported anew.

    Raises:
        TargetError: As of now it cannot be loaded.
        ConfigurationError: As of now a setting is not allowed.
    """
    target = _read(text)
    if target.module in sys.modules:
        try:
            module = importlib.import_module(target.module)  # waits while another imports it
            found = attrgetter(target.attribute)(module)
        except Exception:  # noqa: BLE001 - another thread's import of it, which has failed
            found = None
        if isinstance(found, FluxLit):
            return found
    return load_app(text, _loaded[text].overrides if text in _loaded else None)


@functools.lru_cache(maxsize=1)
def _read(text: str) -> Target:
    return parse_target(text)


def _import(target: Target, text: str) -> ModuleType:
    for folder in (Path.cwd(), source_folder(target)):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(target.module)
    except ModuleNotFoundError as exc:
        if exc.name is None or not f"{target.module}.".startswith(f"{exc.name}."):
            raise _failed(text, exc) from exc
        msg = f"there is no module {exc.name!r} to import {text!r} from"
        remedy = (
            f"run this where {exc.name}.py is, or name a target: fluxlit run package.module:app"
        )
        raise TargetError(msg, remedy=remedy) from exc
    except FluxLitError as exc:
        msg = f"cannot import {text!r}: {exc}"
        raise TargetError(msg, remedy=exc.remedy) from exc
    except AskedToEnd:
        raise
    except (Exception, SystemExit, KeyboardInterrupt) as exc:
        raise _failed(text, exc) from exc
    _check_file(module, target)
    return module


def _check_file(module: ModuleType, target: Target) -> None:
    """Refuse a file whose name another module has already taken, such as ``inspect.py``."""
    found = getattr(module, "__file__", None)
    if target.file is not None and (found is None or Path(found).resolve() != target.file):
        msg = f"{target.file.name} cannot be imported: {target.module!r} is {found or 'built in'}"
        raise TargetError(msg, remedy="give the file another name")


def _failed(text: str, exc: BaseException) -> TargetError:
    msg = f"cannot import {text!r}: {type(exc).__name__}: {exc}".rstrip(": ")
    return TargetError("\n".join([msg, *user_frames(exc)]), remedy="correct the error above")


def user_frames(exc: BaseException) -> list[str]:
    """Return the lines of a traceback from the user's own code on, without the import system's."""
    frames = [f for f in traceback.extract_tb(exc.__traceback__) if not is_machinery(f.filename)]
    own = itertools.dropwhile(lambda frame: is_installed(frame.filename), frames)
    lines = traceback.format_list(list(own))
    if isinstance(exc, SyntaxError):  # is in a file that has no frame: it was never run
        lines += traceback.format_exception_only(exc)[:-1]
    return "".join(lines).splitlines()


def _suggest(module: ModuleType, target: Target) -> str:
    apps = [name for name, value in vars(module).items() if isinstance(value, FluxLit)]
    if not apps:
        return f"define one in {target.module}: {target.attribute} = FluxLit()"
    return f"did you mean {target.module}:{apps[0]}?"
