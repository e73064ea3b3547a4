"""The exceptions of the package. Each message says what went wrong and what to do.

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
    """The call that failed, such as ``ips.add``; ``None`` if a setting or an input is invalid."""

    def __init__(self, message: str = "", **fields: "Any") -> None:
        super().__init__(message)
        # Attributes in __dict__ survive pickling and copying.
        self.__dict__.update(fields)


class ConfigError(ProxyMeshError):
    """The client cannot be created or used: the base URL is invalid, credentials are missing, invalid or
    contradictory, another setting is invalid, or the client is closed. The message says which.
    """

    reason: str = ""
    """What is wrong."""


class ValidationError(ProxyMeshError, ValueError):
    """An input is invalid. Nothing was sent. This is also a builtin ``ValueError``."""

    field: str = ""
    """The parameter's name in the API, such as ``monthly_limit``."""
    reason: str = ""
    """Why the input is invalid."""


class BasicAuthRequiredError(ProxyMeshError):
    """A client with a token made a token call. Nothing was sent. The token calls require the parent account's username
    and password.
    """


class AuthenticationBlockedError(ProxyMeshError):
    """Too many authentications have failed in the last five minutes: two with these credentials, or three in this
    process. Nothing was sent. Four failures ban the caller for three hours, so the client stops before that.
    """

    retry_after: float = 0.0
    """The seconds until the next attempt is allowed."""


class StatusError(ProxyMeshError):
    """The service refused the call. The subclass says why."""

    status: int = 0
    """The HTTP status."""
    reason: str = ""
    """Why the service refused the call, in one line. This is the reason in the response, or else what the status means
    for this call.
    """
    field_errors: dict[str, list[str]]
    """The reasons for each form field, if the response names fields."""
    body: str = ""
    """The first 4 KiB of the response, as text."""
    retry_after: float | None = None
    """How many seconds the service asks you to wait, if it does."""
    attempts: int = 0
    """How many times the call was tried. 0 if it was not sent, because the service rejected the same credentials for
    another call.
    """

    def __init__(self, message: str = "", **fields: "Any") -> None:
        fields.setdefault("field_errors", {})
        super().__init__(message, **fields)


class AuthenticationError(StatusError):
    """401: the service rejected the credentials, or has banned the caller. The call is never retried."""


class BadRequestError(StatusError):
    """400: invalid or contradictory input."""


class PlanLimitError(StatusError):
    """402: the plan does not allow this."""


class PermissionDeniedError(StatusError):
    """403: the resource is not yours, or only the parent account may do this."""


class NotFoundError(StatusError):
    """404: the resource does not exist."""


class RateLimitedError(StatusError):
    """429: too many requests. If the service says how long to wait, ``retry_after`` is set."""


class ServerError(StatusError):
    """5xx: a server error."""


class UnexpectedStatusError(StatusError):
    """Any other status, including redirects (3xx), which are never followed."""


class TimeoutError(ProxyMeshError, builtins.TimeoutError):
    """No response arrived within the time limit, or another process held the lock of `ips.authorized` for too long.
    This is also a builtin ``TimeoutError``.
    """

    reason: str = ""
    """What the call waited for, and for how long."""
    attempts: int = 0
    """How many times the call was tried; 0 if it was not sent."""


class ConnectionError(ProxyMeshError, builtins.ConnectionError):
    """The client could not connect, or the connection broke: for example, a DNS or TLS error, or a refused or reset
    connection. This is also a builtin ``ConnectionError``.
    """

    reason: str = ""
    """The error of the network or of TLS."""
    attempts: int = 0
    """How many times the call was tried; 0 if it was not sent."""


class DecodeError(ProxyMeshError):
    """The service reported success, but the client could not read the response. If the call was a write, the client has
    looked it up, and it was not carried out. If the client cannot find that out, it raises `OutcomeUnknownError`
    instead.
    """

    status: int = 0
    """The HTTP status."""
    reason: str = ""
    """What is wrong with the response."""
    body: str = ""
    """The first 4 KiB of the response, as text."""


class OutcomeUnknownError(ProxyMeshError):
    """A write was sent, but it is unknown whether it was carried out. ``recovery_hint`` says how to find out."""

    reason: str = ""
    """Why it is unknown, such as a time-out or a server error."""
    recovery_hint: str = ""
    """How to find out whether the write was carried out."""


class PoolExhaustedError(ProxyMeshError):
    """A pool has no proxy to hand out: all are cooling down after failures, or the account has no authorised proxy."""

    reason: str = ""
    """Why there is none."""
    retry_after: float = 0.0
    """The seconds until the first proxy has cooled down; 0 if the account has no authorised proxy."""


for _name in __all__:
    # They are used and pickled as proxymesh.X.
    globals()[_name].__module__ = "proxymesh"
