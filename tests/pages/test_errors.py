from __future__ import annotations

from types import ModuleType
from typing import Any, cast

import pytest
from tests.pages.fakes import FakeStreamlit

from fluxlit.exceptions import ConfigurationError, TargetError
from fluxlit.pages.errors import show_unloaded

BROKEN = TargetError("cannot import 'app:app': it is_bad\n    there\n      here", remedy="mend it")
DETAILED = {"client.showErrorDetails": "full"}


def test_an_app_that_cannot_be_loaded_says_where() -> None:
    st = FakeStreamlit(options=DETAILED)
    show_unloaded(st, BROKEN)
    assert st.errors == ["cannot import 'app\\:app': it is\\_bad"]
    assert st.codes == ["there\n  here"]
    assert st.written == []
    assert st.config == {"page_title": "The app cannot be loaded"}
    assert st.captions[0].startswith("This page follows your edits")


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (BROKEN, {"client.showErrorDetails": "none"}),  # the code is nobody's business
        (ConfigurationError("a setting is wrong", remedy="mend it"), DETAILED),
    ],
)
def test_else_it_says_what_to_do(error: ConfigurationError, options: dict[str, Any]) -> None:
    st = FakeStreamlit(options=options)
    show_unloaded(cast("ModuleType", st), error)
    assert st.codes == []
    assert st.written == ["mend it"]
