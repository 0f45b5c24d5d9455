"""``python -m fluxlit`` is the ``fluxlit`` command."""

from __future__ import annotations

from fluxlit.cli import main

if __name__ == "__main__":
    main()
