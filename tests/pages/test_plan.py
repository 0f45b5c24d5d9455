from __future__ import annotations

from types import ModuleType
from typing import Annotated, Any

import pytest

from fluxlit.client import ApiClient
from fluxlit.config import FluxlitSettings
from fluxlit.exceptions import PageError
from fluxlit.pages.plan import Need, plan_of


class MySettings(FluxlitSettings):
    colour: str = "blue"


def test_st_and_client_are_known_by_name_whatever_their_annotation() -> None:
    def page(st: Any, client: Any) -> None: ...

    assert plan_of(page).needs == (Need("st", ModuleType), Need("client", ApiClient))


def test_any_other_parameter_is_known_by_its_class() -> None:
    def page(api: ApiClient, config: Annotated[FluxlitSettings, "note"]) -> None: ...

    assert plan_of(page).needs == (Need("api", ApiClient), Need("config", FluxlitSettings))


def test_an_instance_of_a_subclass_is_given_for_its_base() -> None:
    def page(config: FluxlitSettings) -> None: ...

    settings = MySettings()
    assert plan_of(page).arguments({MySettings: settings}) == {"config": settings}


def test_what_has_a_default_and_no_class_is_left_alone() -> None:
    def page(st: Any, *rest: str, limit: int | None = None, **more: str) -> None: ...

    assert plan_of(page).needs == (Need("st", ModuleType),)


def test_a_class_with_a_default_is_given_if_there_is_one_and_left_out_if_not() -> None:
    def page(config: FluxlitSettings = FluxlitSettings(), size: int = 3) -> None: ...  # noqa: B008

    settings = FluxlitSettings(title="Given")
    assert plan_of(page).arguments({FluxlitSettings: settings}) == {"config": settings}
    assert plan_of(page).arguments({}) == {}


def test_a_parameter_that_nothing_fits_is_refused_with_its_name() -> None:
    def page(st: Any, limit) -> None: ...  # type: ignore[no-untyped-def]

    with pytest.raises(PageError, match=r"page .*page: nothing is known .* 'limit'"):
        plan_of(page)


def test_a_class_that_is_not_provided_is_named_when_the_page_runs() -> None:
    def page(config: FluxlitSettings) -> None: ...

    with pytest.raises(PageError, match="no FluxlitSettings to give to the parameter 'config'"):
        plan_of(page).arguments({ApiClient: object()})


def test_annotations_that_cannot_be_resolved_do_not_hide_the_known_names() -> None:
    def page(st: Any, client: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert plan_of(page).needs == (Need("st", ModuleType), Need("client", ApiClient))
