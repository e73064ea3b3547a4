"""The exceptions of the package. Each message is a sentence that a person can act on.

No exception ever contains a password or a token. All of them can be pickled and copied.
"""

import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    # `typing` takes ten times as long to import as everything else.
    from typing import Any

__all__ = [
    "AuthenticationBlockedError",
    "AuthenticationError",
    "BadRequestError",
    "BasicAuthRequiredError",
    "ConfigError",
    "ConnectionError",
    "DecodeError",
    "NotFoundError",
    "OutcomeUnknownError",
    "PermissionDeniedError",
    "PlanLimitError",
    "PoolExhaustedError",
    "ProxyMeshError",
    "RateLimitedError",
    "ServerError",
    "StatusError",
    "TimeoutError",
    "UnexpectedStatusError",
    "ValidationError",
]


class ProxyMeshError(Exception):
    """The base class of all exceptions of this package."""

    call: str | None = None
    """The call that failed, such as ``ips.add``. ``None`` for an invalid setting or input."""

    def __init__(self, message: str = "", **fields: "Any") -> None:
        super().__init__(message)
        # Attributes in __dict__ survive pickling and copying.
        self.__dict__.update(fields)


class ConfigError(ProxyMeshError):
    """The client cannot be created or used as requested: a bad base URL, missing or contradictory credentials, plain
    http to a host that is not loopback, an invalid setting, a closed client.
    """

    reason: str = ""
    """What is wrong."""


class ValidationError(ProxyMeshError, ValueError):
    """An input breaks a rule of the service. Nothing was sent."""

    field: str = ""
    """The parameter's name in the API."""
    reason: str = ""
    """The rule that it breaks."""


class BasicAuthRequiredError(ProxyMeshError):
    """A token call was made with a token. Nothing was sent. Token calls need the username and password."""


class AuthenticationBlockedError(ProxyMeshError):
    """The service has rejected the credentials too often. Nothing was sent. Four failures ban the account for three
    hours, so the client stops before that.
    """

    retry_after: float = 0.0
    """Seconds until the client allows the next attempt."""


class StatusError(ProxyMeshError):
    """The service answered with an error status. The subclass tells the kind."""

    status: int = 0
    """The HTTP status."""
    reason: str = ""
    """The reason in one line."""
    field_errors: dict[str, list[str]]
    """The reasons per form field, if the service names fields."""
    body: str = ""
    """The first 4 KiB of the response."""
    retry_after: float | None = None
    """Seconds to wait, if the service says so."""
    attempts: int = 0
    """The number of attempts."""

    def __init__(self, message: str = "", **fields: "Any") -> None:
        fields.setdefault("field_errors", {})
        super().__init__(message, **fields)


class AuthenticationError(StatusError):
    """401: the service rejected the credentials, or has banned the caller. The call is never retried."""


class BadRequestError(StatusError):
    """400: invalid or contradictory input."""


class PlanLimitError(StatusError):
    """402: the plan does not allow it."""


class PermissionDeniedError(StatusError):
    """403: the resource is not yours, or only the parent account may do this."""


class NotFoundError(StatusError):
    """404: the resource does not exist."""


class RateLimitedError(StatusError):
    """429: too many requests. ``retry_after`` says how long to wait, if the service does."""


class ServerError(StatusError):
    """5xx: server error."""


class UnexpectedStatusError(StatusError):
    """Any other status. This includes redirects, which are never followed."""


class TimeoutError(ProxyMeshError, builtins.TimeoutError):
    """No response within the time limit. Also a builtin ``TimeoutError``."""

    reason: str = ""
    """What the call waited for, and how long."""
    attempts: int = 0
    """The number of attempts."""


class ConnectionError(ProxyMeshError, builtins.ConnectionError):
    """The connection failed or broke: DNS, refused, reset, TLS. Also a builtin ``ConnectionError``."""

    reason: str = ""
    """The error of the network or of TLS."""
    attempts: int = 0
    """The number of attempts."""


class DecodeError(ProxyMeshError):
    """The service reported success, but the response is not what the call expects. For a write, the client has looked
    it up: it was not carried out. If that cannot be determined, the write raises `OutcomeUnknownError` instead.
    """

    status: int = 0
    """The HTTP status."""
    reason: str = ""
    """What is wrong with the response."""
    body: str = ""
    """The first 4 KiB of the response."""


class OutcomeUnknownError(ProxyMeshError):
    """A write was sent, but no readable response arrived. The write may or may not have been carried out; look it
    up to find out.
    """

    reason: str = ""
    """What happened instead of a response."""
    recovery_hint: str = ""
    """How to find out whether the write was carried out."""


class PoolExhaustedError(ProxyMeshError):
    """A pool has no proxy to hand out: all are cooling down after failures, or the account has no authorised proxy."""

    retry_after: float = 0.0
    """Seconds until the first proxy has cooled down; 0 if there is none."""


for _name in __all__:
    # They are used and pickled as proxymesh.X.
    globals()[_name].__module__ = "proxymesh"
