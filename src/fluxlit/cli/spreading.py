"""Gives a command of the command line the options of dataclasses."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any, get_type_hints

Command = Callable[..., None]


def spread(command: Command) -> Command:
    """Give a command the options of its parameters that are dataclasses of options.

    Typer reads a command's signature; this one writes the signature out.

    Example:
        >>> @spread
        ... def run(binding: Binding, workers: int = 1) -> None: ...
        >>> list(inspect.signature(run).parameters)
        ['host', 'port', 'log_level', 'workers']
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Callable[..., object]] = {
        name: kind for name, kind in hints.items() if isinstance(kind, type) and is_dataclass(kind)
    }

    def spread_out(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(
                **{option.name: values.pop(option.name) for option in _options(group)}
            )
        command(**values)

    parameters = [
        option
        for name, parameter in inspect.signature(command).parameters.items()
        for option in (
            _options(groups[name])
            if name in groups
            else [_keyword(name, hints[name], parameter.default)]
        )
    ]
    spread_out.__name__, spread_out.__doc__ = command.__name__, command.__doc__
    spread_out.__annotations__ = {item.name: item.annotation for item in parameters}
    spread_out.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # PEP 362
    return spread_out


def _options(group: Callable[..., object]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    own = inspect.signature(group).parameters.values()
    return [_keyword(item.name, hints[item.name], item.default) for item in own]


def _keyword(name: str, hint: object, default: object) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=hint)
