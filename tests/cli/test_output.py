from __future__ import annotations

import pytest

from fluxlit.cli.output import note, print_error
from fluxlit.exceptions import FluxLitError


def test_what_went_wrong_and_what_to_do_go_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_error(FluxLitError("port 1 is taken", remedy="pass --port"))
    print_error(FluxLitError("no idea"))
    note("by the way")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: port 1 is taken\n  try: pass --port\nerror: no idea\nby the way\n"
