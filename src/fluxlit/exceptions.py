"""Every error that FluxLit raises on purpose.

::

    FluxLitError
    ├── ConfigurationError        a setting, a file or an argument is wrong
    │   ├── TargetError           "module:attribute" does not lead to a FluxLit app
    │   └── MissingExtra          an optional package is not installed (also a RuntimeError)
    ├── PageError                 a page cannot be registered (also a ValueError)
    │   └── PageSignatureError    a parameter of its function cannot be given (also a TypeError)
    ├── PageInputError            the request that opened a page lacks what the page declares
    ├── PageRefused               a guard does not let this visitor see a page
    ├── CallError                 a function of the API cannot be called from a page
    ├── StartupError              the service cannot start: port taken, a worker failed
    ├── BodyTooLarge              a request to the UI is larger than the gateway may pass on
    ├── RequestTimeout            a client did not send in time the body that it announced
    ├── IdentityProviderError     who is to say who the user is does not (also a ValueError)
    │   └── KeysUnavailable       its public keys cannot be fetched
    ├── HandoffError              a socket could not be handed to a worker; nothing happened
    └── UpstreamError             the UI cannot answer this request
        ├── UpstreamStarting      nobody listens yet; a worker is on its way
        ├── UpstreamBusy          too many requests wait for it, and this one had no turn in time
        ├── UpstreamUnavailable   it cannot be reached, or hung up before it answered
        └── UpstreamTimeout       it was reached and did not answer in time

An error of the API that a page called is :class:`fluxlit.client.ApiError`; it lives beside the
client because it is an HTTP error first.
"""

from __future__ import annotations


class FluxLitError(Exception):
    """Base of all errors of this package.

    Args:
        message: What happened, in one sentence, with the cause.
        remedy: What the reader can do about it; empty when nothing general can be said.

    Example:
        >>> raise FluxLitError("port 8000 is taken", remedy="pass --port")
        Traceback (most recent call last):
        fluxlit.exceptions.FluxLitError: port 8000 is taken
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class ConfigurationError(FluxLitError):
    """A setting, a file or an argument is wrong."""


class TargetError(ConfigurationError):
    """The import target does not lead to a FluxLit app."""


class MissingExtra(ConfigurationError, RuntimeError):
    """An optional package is not installed.

    Args:
        what: What needs it.
        extra: The extra of FluxLit that brings it.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs fluxlit[{extra}]", remedy=f"python -m pip install 'fluxlit[{extra}]'"
        )


class PageError(FluxLitError, ValueError):
    """A page cannot be registered."""


class PageSignatureError(PageError, TypeError):
    """A parameter of a page's function cannot be given."""


class PageInputError(FluxLitError):
    """The request that opened a page lacks what the page declares, or holds it malformed.

    Args:
        problems: What is wrong, one sentence each, fit to be shown to the visitor.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class PageRefused(FluxLitError):
    """A guard does not let this visitor see a page; the message is shown to the visitor.

    Example:
        >>> def staff_only(user: Annotated[User, Depends(current_user)]) -> None:
        ...     if not user.is_staff:
        ...         raise PageRefused("This page is for staff.")
    """

    def __init__(self, message: str = "You may not see this page.", *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)


class CallError(FluxLitError):
    """A function of the API cannot be called from a page: it serves no route, or a special one."""


class StartupError(FluxLitError):
    """The service cannot start.

    Args:
        message: What happened.
        remedy: What the reader can do about it.
        by_app: Whether the app's own code or settings are the cause, so that an edit may help.
    """

    def __init__(self, message: str, *, remedy: str = "", by_app: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.by_app = by_app


class BodyTooLarge(FluxLitError):
    """A request to the UI is larger than the gateway may pass on.

    Args:
        message: What happened.
        unread: Whether the client is still sending it.
    """

    def __init__(self, message: str, *, unread: bool = True) -> None:
        super().__init__(message)
        self.unread = unread


class RequestTimeout(FluxLitError):
    """A client did not send in time the body that it announced."""


class IdentityProviderError(FluxLitError, ValueError):
    """An identity provider cannot be reached, refuses, or answers what it must not."""


class KeysUnavailable(IdentityProviderError):
    """The public keys that tokens are checked with cannot be fetched."""


class HandoffError(FluxLitError):
    """A browser's socket could not be handed to a worker; nothing has happened to it."""


class UpstreamError(FluxLitError):
    """The UI cannot answer this request."""


class UpstreamStarting(UpstreamError):
    """Nobody listens yet; a worker is on its way."""


class UpstreamBusy(UpstreamError):
    """Too many requests wait for the UI already, and this one did not get its turn in time."""


class UpstreamUnavailable(UpstreamError):
    """The UI cannot be reached, or hung up before it answered."""


class UpstreamTimeout(UpstreamError):
    """The UI was reached and did not answer in time."""
