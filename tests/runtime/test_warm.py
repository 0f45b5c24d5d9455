"""What a spare worker imports ahead: in a process of its own, as a worker is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CODE = """
import json, sys
from types import ModuleType
from fluxlit.runtime._entry.warm import imported_packages, prepare

class Odd(ModuleType):
    def __getattr__(self, name):
        raise RuntimeError(name)

sys.modules["odd"] = Odd("odd")
sys.path.append({folder!r})
import colorsys, own
names = imported_packages()
for name in names:
    del sys.modules[name]
path = list(sys.path)
prepare({{"modules": [*names, "no_such_module", "own_broken"], "search_path": [{folder!r}]}})
prepare({{}})
print(json.dumps([names, "colorsys" in sys.modules, sys.path == path]))
"""


def test_it_imports_what_is_installed_and_nothing_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "own.py").touch()
    (tmp_path / "own_broken.py").write_text("1 / 0")
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(folder=str(tmp_path))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [["colorsys"], True, True]
