"""Everything that can go wrong, as exceptions. Each text is a sentence a person can act on.

No exception ever holds a password or a token. All of them can be pickled and copied.
"""

import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    # It takes ten times as long to import as all the rest.
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
    """The base of every exception that this package raises for its own reasons."""

    call: str | None = None
    """The call that failed, such as ``ips.add``; none for a setting or an input."""

    def __init__(self, message: str = "", **fields: "Any") -> None:
        super().__init__(message)
        # In __dict__ they survive pickling and copying.
        self.__dict__.update(fields)


class ConfigError(ProxyMeshError):
    """The client cannot be made or used as asked: a bad base URL, missing or contradictory credentials, plain http
    to a host that is not loopback, an unusable setting, a closed client.
    """

    reason: str = ""
    """What is wrong."""


class ValidationError(ProxyMeshError, ValueError):
    """An input breaks a rule of the service; nothing was sent."""

    field: str = ""
    """The parameter, by its name in the API."""
    reason: str = ""
    """Which rule it breaks."""


class BasicAuthRequiredError(ProxyMeshError):
    """A token call was made with a token; nothing was sent. These calls take the username and password only."""


class AuthenticationBlockedError(ProxyMeshError):
    """The service has refused the credentials too often; nothing was sent. Four failures ban the account for three
    hours, so the client stops before that.
    """

    retry_after: float = 0.0
    """Seconds until the next attempt is let through."""


class StatusError(ProxyMeshError):
    """The service answered, and refused. The subclasses tell why."""

    status: int = 0
    """The HTTP status."""
    reason: str = ""
    """Why, in one line."""
    field_errors: dict[str, list[str]]
    """Reasons per form field, where the service names fields."""
    body: str = ""
    """The answer's first 4 KiB."""
    retry_after: float | None = None
    """Seconds that the service asks to wait, if it does."""
    attempts: int = 0
    """How often the call was tried."""

    def __init__(self, message: str = "", **fields: "Any") -> None:
        fields.setdefault("field_errors", {})
        super().__init__(message, **fields)


class AuthenticationError(StatusError):
    """401: the service does not accept the credentials, or has banned the caller. Never sent again."""


class BadRequestError(StatusError):
    """400: invalid or contradictory input."""


class PlanLimitError(StatusError):
    """402: the plan does not allow it."""


class PermissionDeniedError(StatusError):
    """403: not yours, or only the parent account may."""


class NotFoundError(StatusError):
    """404: there is no such thing."""


class RateLimitedError(StatusError):
    """429: too many requests; ``retry_after`` says how long to wait, where the service does."""


class ServerError(StatusError):
    """5xx: the service's own trouble."""


class UnexpectedStatusError(StatusError):
    """Any other status, redirects included: they are never followed."""


class TimeoutError(ProxyMeshError, builtins.TimeoutError):
    """No answer within the time limit. Also a builtin ``TimeoutError``."""

    reason: str = ""
    """What was waited for, and for how long."""
    attempts: int = 0
    """How often the call was tried."""


class ConnectionError(ProxyMeshError, builtins.ConnectionError):
    """No connection, or one that broke: DNS, refused, reset, TLS. Also a builtin ``ConnectionError``."""

    reason: str = ""
    """What the network or TLS said."""
    attempts: int = 0
    """How often the call was tried."""


class DecodeError(ProxyMeshError):
    """The service answered with success, but not with what the call promises. Of a write it says that it was looked up,
    and was not carried out; where that is not known, the write ends as `OutcomeUnknownError`.
    """

    status: int = 0
    """The HTTP status."""
    reason: str = ""
    """What is wrong with the answer."""
    body: str = ""
    """The answer's first 4 KiB."""


class OutcomeUnknownError(ProxyMeshError):
    """A write went out, and no answer came, or none that can be read. Whether it was carried out has to be looked
    up.
    """

    reason: str = ""
    """What happened instead of an answer."""
    advice: str = ""
    """How to find out."""


class PoolExhaustedError(ProxyMeshError):
    """A pool has no proxy to hand out: all are cooling down after failures, or the account has authorised none."""

    retry_after: float = 0.0
    """Seconds until the first has cooled down; 0 where there is none."""


for _name in __all__:
    # They are used, and pickled, as proxymesh.X.
    globals()[_name].__module__ = "proxymesh"
