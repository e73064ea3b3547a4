"""A client for the ProxyMesh account API. It manages the proxies that an account may use, its authorised IPs and
hostnames, its sub-accounts and its tokens. It also counts the exit IPs in each country.

>>> from proxymesh.sandbox import Sandbox  # an emulation of the service, for when no account is at hand
>>> with Sandbox() as sandbox, sandbox.client() as client:
...     urls = [proxy.url("parent", "parent-password") for proxy in client.proxies.list()]
...     client.ips.add("203.0.113.7", label="office")
...     client.sub_accounts.create("crawler-1", monthly_limit=5).active
'203.0.113.7'
True
"""

import atexit as _atexit
import os as _os
import sys as _sys

try:
    from . import _proxymesh
except ImportError as _error:
    if "subinterpreters" not in str(_error):
        raise
    raise ImportError(
        "proxymesh can be imported only in the main interpreter of a process, but this is a subinterpreter. "
        "Run the program in the main interpreter: under mod_wsgi, set WSGIApplicationGroup %{GLOBAL}; under uWSGI, "
        "single-interpreter = true; under Jep, use a SharedInterpreter; instead of concurrent.interpreters, use "
        "threads or processes."
    ) from None

# Code that removes the package from sys.modules and imports it again gets the same exception classes.
_sys.modules[f"{__name__}._errors"] = _proxymesh.exceptions()

from ._errors import (  # noqa: E402
    AuthenticationBlockedError,
    AuthenticationError,
    BadRequestError,
    BasicAuthRequiredError,
    ConfigError,
    ConnectionError,
    DecodeError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    PlanLimitError,
    PoolExhaustedError,
    ProxyMeshError,
    RateLimitedError,
    ServerError,
    StatusError,
    TimeoutError,
    UnexpectedStatusError,
    ValidationError,
)
from ._proxymesh import (  # noqa: E402
    AsyncAuthorizedIp,
    AsyncClient,
    AsyncFollowedIp,
    AsyncGeo,
    AsyncHostnames,
    AsyncIps,
    AsyncProxies,
    AsyncProxyPool,
    AsyncSubAccounts,
    AsyncTokens,
    AuthorizedIp,
    Client,
    FollowedIp,
    Geo,
    Hostnames,
    Ips,
    LabeledIp,
    NewToken,
    Proxies,
    Proxy,
    ProxyCheck,
    ProxyPool,
    ProxyStats,
    SubAccount,
    SubAccounts,
    Token,
    Tokens,
    __version__,
)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


def _seen_by_freezers() -> None:  # pyright: ignore[reportUnusedFunction]
    """Never called. PyInstaller, cx_Freeze and Nuitka find dependencies by reading a program's Python code. This shows
    them what only the native module imports.
    """
    import asyncio
    import contextvars
    import ipaddress
    import json
    import logging
    import operator

    from . import _adapters, _errors

    _ = asyncio, contextvars, ipaddress, json, logging, operator, _adapters, _errors


# A forked process has to know that it is a different process.
_proxymesh.remember_process()
if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(after_in_child=_proxymesh.remember_process)
# atexit runs handlers in reverse order. This one is registered early, so it runs after the program's own handlers.
_atexit.register(_proxymesh.leave_interpreter)

__all__ = [
    "AsyncAuthorizedIp",
    "AsyncClient",
    "AsyncFollowedIp",
    "AsyncGeo",
    "AsyncHostnames",
    "AsyncIps",
    "AsyncProxies",
    "AsyncProxyPool",
    "AsyncSubAccounts",
    "AsyncTokens",
    "AuthenticationBlockedError",
    "AuthenticationError",
    "AuthorizedIp",
    "BadRequestError",
    "BasicAuthRequiredError",
    "Client",
    "ConfigError",
    "ConnectionError",
    "DecodeError",
    "FollowedIp",
    "Geo",
    "Hostnames",
    "Ips",
    "LabeledIp",
    "NewToken",
    "NotFoundError",
    "OutcomeUnknownError",
    "PermissionDeniedError",
    "PlanLimitError",
    "PoolExhaustedError",
    "Proxies",
    "Proxy",
    "ProxyCheck",
    "ProxyMeshError",
    "ProxyPool",
    "ProxyStats",
    "RateLimitedError",
    "ServerError",
    "StatusError",
    "SubAccount",
    "SubAccounts",
    "TimeoutError",
    "Token",
    "Tokens",
    "UnexpectedStatusError",
    "ValidationError",
    "__version__",
]
