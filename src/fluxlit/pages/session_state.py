"""A typed view on ``st.session_state``."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from fluxlit._aliases import aliases_of

ModelT = TypeVar("ModelT", bound=BaseModel)


class SessionModel:
    """Reads and writes ``st.session_state`` as models.

    Args:
        st: The ``streamlit`` module.
        extra: ``"forbid"`` refuses to write a model that holds keys beyond its fields.

    Example:
        >>> class Cart(BaseModel):
        ...     items: list[str] = []
        >>> state = SessionModel(st)
        >>> cart = state.read_into(Cart)
        >>> state.write_from(Cart(items=[*cart.items, "book"]))
    """

    def __init__(self, st: Any, *, extra: Literal["ignore", "forbid"] = "ignore") -> None:
        self._state = st.session_state
        self._extra = extra

    def read_into(self, model_type: type[ModelT]) -> ModelT:
        """Make a model of the keys named like its fields; what is not there has its default.

        Raises:
            pydantic.ValidationError: A value is malformed, or a required one is missing.
        """
        found = {
            (*aliases_of(info), name)[0]: self._state[name]
            for name, info in model_type.model_fields.items()
            if name in self._state
        }
        return model_type.model_validate(found)

    def write_from(self, model: BaseModel) -> None:
        """Write a model's fields, each under its name; one that has the value is left alone.

        So the keys of widgets that are on the page already may be fields too: Streamlit refuses to
        write such a key, and nothing is written unless the model holds another value.

        Raises:
            ValueError: The model holds keys beyond its fields, and they are forbidden.
        """
        if self._extra == "forbid" and model.model_extra:
            msg = f"Unexpected session keys: {', '.join(sorted(model.model_extra))}"
            raise ValueError(msg)
        for name, value in model.model_dump().items():
            if name not in self._state or _differ(self._state[name], value):
                self._state[name] = value

    def setdefaults(self, model: BaseModel) -> None:
        """Write the fields whose keys are not there yet, such as first values of widgets."""
        for name, value in model.model_dump().items():
            if name not in self._state:
                self._state[name] = value


def _differ(one: object, other: object) -> bool:
    try:
        return bool(one != other)
    except Exception:  # noqa: BLE001 - tables and arrays compare cell by cell and are no truth value
        return one is not other
