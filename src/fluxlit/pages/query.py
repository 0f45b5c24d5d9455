"""A page's query string as a model, by hand; a parameter marked ``Query()`` gets it by itself."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from fluxlit.deep_links import query_values
from fluxlit.pages.errors import listed
from fluxlit.pages.inputs import fields_of, problems_of
from fluxlit.pages.markers import Place, Query

__all__ = ["Query", "parse_query_params", "parse_query_params_adapter", "query_dict_for_manifest"]

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)


def parse_query_params(st: Any, model: type[ModelT], *, strict: bool = False) -> ModelT:
    """Read the query string as a model.

    Args:
        st: The ``streamlit`` module.
        model: The model; its fields are read by alias or name.
        strict: Raise on a malformed value instead of showing it to the visitor.

    Returns:
        The model. When a value is malformed and *strict* is off, an error is shown and the model
        has its defaults in place of the malformed values, or of all that do not go together.

    Raises:
        pydantic.ValidationError: A value is malformed and *strict* is on, or a required field has
            no usable value: there is no such model to return.
    """
    given = fields_of(model, query_values(st))
    try:
        return model.model_validate(given)
    except ValidationError as exc:
        if strict:
            raise
        st.error(listed("Invalid query parameters:", problems_of(Place.QUERY, "", exc)))
        wrong = {part for error in exc.errors() for part in error["loc"][:1]}
    try:
        return model.model_validate({name: it for name, it in given.items() if name not in wrong})
    except ValidationError:  # the values do not go together
        return model.model_validate({})


def parse_query_params_adapter(st: Any, adapter: TypeAdapter[T], *, strict: bool = False) -> T:
    """Read the query string as any type that pydantic knows, a ``TypedDict`` or a union of models.

    Args:
        st: The ``streamlit`` module.
        adapter: Of the type.
        strict: Do not show a malformed value to the visitor.

    Raises:
        pydantic.ValidationError: A value is malformed; it has been shown unless *strict* is on.
    """
    try:
        return adapter.validate_python(query_dict_for_manifest(st))
    except ValidationError as exc:
        if not strict:
            st.error(listed("Invalid query parameters:", problems_of(Place.QUERY, "", exc)))
        raise


def query_dict_for_manifest(st: Any) -> dict[str, str | list[str]]:
    """Return the query string as plain values: a string, or a list where a name stands twice."""
    return {
        name: values[0] if len(values) == 1 else values
        for name, values in query_values(st).items()
        if values
    }
