"""The private door of a service on a port of this machine, where there are no Unix sockets.

A Unix socket in a private directory lets in only its owner; a port lets in everybody on the
machine. So whoever comes in has to show a key. Port and key stand in a file of the same directory.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

SUFFIX: Final = ".door"
"""Ends the name of such a file, which stands where the path of a Unix socket could."""

HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Door:
    """Where the door is, and what opens it.

    Attributes:
        port: The port on :data:`HOST`.
        key: What a request carries in the header ``X-FluxLit-Key``.
    """

    port: int
    key: str = field(repr=False)

    def write(self, path: str) -> None:
        """Write the file, for this user's eyes only.

        Raises:
            OSError: It cannot be written.
        """
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(asdict(self), file)

    @classmethod
    def read(cls, path: str) -> Self:
        """Read the file.

        Raises:
            OSError: It is not there, or not yet.
            ValueError: It is being written.
        """
        return cls(**json.loads(Path(path).read_text(encoding="ascii")))
