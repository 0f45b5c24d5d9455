from __future__ import annotations

from pathlib import Path

import pytest

from fluxlit import FluxLit, FluxlitSettings
from fluxlit.exceptions import ConfigurationError
from fluxlit.frontend import FrontendOptions, PageHead, make_frontend
from fluxlit.pages.heads import page_heads


def desk(**settings: object) -> FluxLit:
    app = FluxLit(title="Desk", settings=FluxlitSettings.model_validate(settings))

    @app.page("/")
    def home() -> None:
        """Everything at a glance.

        More of it.
        """

    @app.page("/orders", title="Orders", icon="🧾")
    def orders() -> None:
        pass

    return app


def heads(app: FluxLit, script: Path | None = None) -> dict[str, PageHead]:
    return page_heads(app.site(), app.urls.canonical_url, script=script)


def test_each_page_says_what_it_is() -> None:
    assert heads(desk()) == {
        "": PageHead("Desk", "Everything at a glance.", "Desk"),
        "orders": PageHead("Orders · Desk", "", "Desk", "🧾"),
    }


def test_the_address_is_said_when_it_is_known() -> None:
    app = desk(public_base_url="https://x.test", root_path="/apps/desk", ui_path="/ui")
    found = {slug: head.url for slug, head in heads(app).items()}
    base = "https://x.test/apps/desk/ui"
    assert found == {"": f"{base}/", "orders": f"{base}/orders"}


def test_what_the_page_configuration_says_counts_for_all() -> None:
    app = desk(streamlit_page_config={"page_title": "Ours", "page_icon": "🚀"})
    assert {(head.title, head.icon) for head in heads(app).values()} == {("Ours", "🚀")}


def test_a_script_lends_its_name(tmp_path: Path) -> None:
    script = tmp_path / "stock_report.py"
    script.touch()
    app = FluxLit(streamlit_script=script)
    assert heads(app, script)[""].title == "stock_report"


def test_a_head_file_that_cannot_be_read_is_said_at_the_start(tmp_path: Path) -> None:
    missing = str(tmp_path / "head.html")
    with pytest.raises(ConfigurationError, match="ui_head_file"):
        FrontendOptions.from_settings(FluxlitSettings(ui_head_file=missing))
    Path(missing).write_text("<b>", encoding="utf-8")
    settings = FluxlitSettings(ui_head_file=missing, ui_head_html="<a>")
    assert FrontendOptions.from_settings(settings).fragment == "<a>\n<b>"


def test_a_policy_is_one_header() -> None:
    folded = FluxlitSettings(ui_content_security_policy="default-src 'self';\n  img-src *")
    assert folded.ui_content_security_policy == "default-src 'self'; img-src *"
    with pytest.raises(ValueError, match="printable ASCII"):
        FluxlitSettings(ui_content_security_policy="default-src 'sélf'")


def test_the_frontend_can_be_left_to_the_worker() -> None:
    assert make_frontend(FluxlitSettings(ui_frontend=False), {"": PageHead("x")}) is None
