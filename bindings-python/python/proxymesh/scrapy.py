"""Sends Scrapy's requests through the account's proxies. One line in a project's settings enables it::

    ADDONS = {"proxymesh.scrapy.Addon": 500}

Each http or https request goes through the next proxy that the account may use. If a proxy fails, it is left out for a
while, and the request is sent again through another one. `ProxyMeshMiddleware` describes the settings and the meta
keys. ``docs/scraping.md`` describes the stats.

This module needs Scrapy 2.16 or later with the asyncio reactor, which is the default.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import scrapy

if scrapy.version_info < (2, 16):
    raise ImportError(f"proxymesh.scrapy needs Scrapy 2.16 or later, but {scrapy.__version__} is installed")

from scrapy import signals
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotConfigured,
)
from scrapy.http.headers import Headers
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.asyncio import is_asyncio_available
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import load_object
from twisted.internet.error import ConnectError
from twisted.internet.error import TimeoutError as ConnectTimeoutError
from twisted.web.client import HTTPConnectionPool, ResponseNeverReceived

from ._errors import ConfigError, PoolExhaustedError, ProxyMeshError, ValidationError
from ._proxymesh import AsyncClient, meaning_of
from ._scrapy import Agent, ProxyRefusedError

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings
    from typing_extensions import Self

    from ._proxymesh import Proxy

__all__ = ["Addon", "ProxyMeshDownloadHandler", "ProxyMeshMiddleware", "ProxyRefusedError"]

_logger = logging.getLogger(__name__)

PROXY_FAILURES = (402, 407, 509)
"""Statuses for which the proxy itself is responsible (docs/api.md, "Status codes")."""
SITE_FAILURES = (400, 403, 502, 503, 504)
"""Statuses of a CONNECT for which the target or the request is responsible."""
SILENCES = 3
"""A proxy counts as failed after this many requests in a row without a response. One alone may be the site's fault."""
CONNECT_TIMEOUT = 10.0
"""Seconds that connecting to a proxy may take if our middleware is not enabled."""
SLICE = 0.5
"""Seconds between two checks of whether the spider is closing, while all proxies are cooling down."""
OURS = "_proxymesh_url"
"""The meta key for the value that we wrote to `proxy`. If `proxy` has another value, someone else chose it."""


def headers_for_proxy(request: Request) -> dict[str, str]:
    """The headers that the request asks to send to its proxy, with lower-case names."""
    asked: dict[str, str] = {}
    said = Headers(request.meta.get("proxy_headers") or {}).to_unicode_dict()
    for name, values in ((str(name), str(values)) for name, values in said.items()):
        if any(sign in f"{name}{values}" for sign in "\r\n\0"):
            reason = f"contains a line break or a NUL in {name!r}"
            raise ValidationError(f"proxy_headers: {reason}", field="proxy_headers", reason=reason)
        asked[name.lower()] = values
    return asked


def exit_asked_for(request: Request) -> dict[str, Any]:
    """The exit that a request asks for, as arguments of `Proxy.steer`."""
    headers = headers_for_proxy(request)
    country = request.meta.get("proxymesh_country") or headers.get("x-proxymesh-country")
    not_ips = [ip.strip() for ip in headers.get("x-proxymesh-not-ip", "").split(",") if ip.strip()]
    asked = {"country": country, "prefer_ip": headers.get("x-proxymesh-prefer-ip"), "not_ip": not_ips}
    return {name: value for name, value in asked.items() if value}


class Addon:
    """Enables the middleware, next to the downloader, and the download handler for http and https."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy."""
        if not settings.getbool("PROXYMESH_ENABLED", True):
            return
        settings.setdefault_in_component_priority_dict("DOWNLOADER_MIDDLEWARES", ProxyMeshMiddleware, 950)
        handlers = settings.getwithbase("DOWNLOAD_HANDLERS")
        for scheme in ("http", "https"):
            if load_object(handlers[scheme]) is HTTP11DownloadHandler:
                settings["DOWNLOAD_HANDLERS"].set(scheme, ProxyMeshDownloadHandler, "addon")


class ProxyMeshMiddleware:
    """Sends each request through one of the account's proxies.

    Settings:

    ``PROXYMESH_ENABLED`` (``True``)
        Whether the middleware is active.
    ``PROXYMESH_USERNAME``, ``PROXYMESH_PASSWORD``, ``PROXYMESH_TOKEN``, ``PROXYMESH_BASE_URL`` (``None``)
        The account and its credentials, as for `proxymesh.Client`. By default, they come from the environment variables
        with these names.
    ``PROXYMESH_CREDENTIALS`` (``True``)
        Whether to send the account's credentials to the proxies. They are not needed if this machine's IP is
        authorised.
    ``PROXYMESH_COUNTRY`` (``None``)
        A two-letter code. Only exit IPs in this country are used.
    ``PROXYMESH_ORDER`` (``"round_robin"``), ``PROXYMESH_TTL`` (``300``), ``PROXYMESH_COOLDOWN`` (``60``)
        As for `proxymesh.Proxies.pool`. The last two are in seconds.
    ``PROXYMESH_ROTATING`` (``False``)
        Whether each https request opens a new tunnel, and so may have another exit IP. Otherwise, requests to the same
        site through the same proxy share a tunnel.
    ``PROXYMESH_COOLDOWN_HTTP_CODES`` (``[]``)
        Statuses from sites, such as 403 or 429, after which the proxy is left out for a while, too. The spider still
        gets the response.
    ``PROXYMESH_CONNECT_TIMEOUT`` (``10``)
        The time limit for connecting to a proxy, in seconds.
    ``PROXYMESH_RETRY_TIMES`` (``5``)
        How many times a request is retried through another proxy after a proxy refused it. Such a request did not reach
        its site, so these retries do not count towards ``RETRY_TIMES``.
    ``PROXYMESH_MAX_WAIT`` (``300``)
        How many seconds requests may wait while all proxies are cooling down. If the wait would take longer, the spider
        is closed instead.

    Meta keys of a request:

    ``proxymesh_country``
        A two-letter code that overrides the setting.
    ``proxy``
        Scrapy's own key. If it is set, even to ``None``, the middleware leaves the request alone.
    ``proxy_headers``
        Headers to send to the proxy, as in scrapy-proxy-headers. They are sent to any proxy, not only to the account's.
        ``X-ProxyMesh-Country`` is the same as ``proxymesh_country``.
    ``bypass_proxy``
        If true, the request goes through none of the account's proxies, as in scrapy-proxymesh.
    ``proxymesh_proxy``
        The name of the proxy that the request went through. The middleware sets it.

    The response header ``X-ProxyMesh-IP`` contains the exit IP.
    """

    connect_timeout: float
    """The time limit for connecting to a proxy, in seconds. The download handler uses it."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        if not settings.getbool("PROXYMESH_ENABLED", True):
            raise NotConfigured
        if not settings.getbool("TWISTED_REACTOR_ENABLED", True):
            reason = "proxymesh.scrapy needs a Twisted reactor: do not change TWISTED_REACTOR_ENABLED"
            raise ConfigError(reason, reason=reason)
        handlers = settings.getwithbase("DOWNLOAD_HANDLERS")
        if not all(issubclass(load_object(handlers[scheme]), ProxyMeshDownloadHandler) for scheme in ("http", "https")):
            reason = (
                "proxymesh.scrapy needs its own download handler for http and https, because Scrapy's sends no headers "
                "to a proxy: do not change DOWNLOAD_HANDLERS, or use a subclass of "
                "proxymesh.scrapy.ProxyMeshDownloadHandler. It cannot choose a browser's proxy, as in "
                "scrapy-playwright: set PROXYMESH_ENABLED = False and "
                'PLAYWRIGHT_LAUNCH_OPTIONS = {"proxy": proxy.playwright()} instead'
            )
            raise ConfigError(reason, reason=reason)
        if not is_asyncio_available():
            reason = "proxymesh.scrapy needs Scrapy's asyncio reactor, the default: do not change TWISTED_REACTOR"
            raise ConfigError(reason, reason=reason)
        self.connect_timeout = settings.getfloat("PROXYMESH_CONNECT_TIMEOUT", 10)
        self._retry_times = settings.getint("PROXYMESH_RETRY_TIMES", 5)
        self._max_wait = settings.getfloat("PROXYMESH_MAX_WAIT", 300)
        self._cooldown_http_codes = {int(code) for code in settings.getlist("PROXYMESH_COOLDOWN_HTTP_CODES")}
        self._priority_adjust = settings.getint("RETRY_PRIORITY_ADJUST")
        self._client = AsyncClient(
            settings.get("PROXYMESH_USERNAME"),
            settings.get("PROXYMESH_PASSWORD"),
            token=settings.get("PROXYMESH_TOKEN"),
            base_url=settings.get("PROXYMESH_BASE_URL"),
        )
        self._country: str | None = settings.get("PROXYMESH_COUNTRY")
        self._pool = self._client.proxies.pool(
            country=self._country,
            order=settings.get("PROXYMESH_ORDER", "round_robin"),
            ttl=settings.getfloat("PROXYMESH_TTL", 300),
            cooldown=settings.getfloat("PROXYMESH_COOLDOWN", 60),
            credentials=settings.getbool("PROXYMESH_CREDENTIALS", True),
            rotating=settings.getbool("PROXYMESH_ROTATING", False),
        )
        # Not kept in the request's meta: they have credentials, and a JOBDIR writes the meta to disk.
        self._proxies: WeakKeyDictionary[Request, Proxy] = WeakKeyDictionary()
        self._silences: Counter[str] = Counter()
        self._given_back: WeakSet[Request] = WeakSet()
        self._closing: asyncio.Task[None] | None = None
        self._crawler = crawler
        crawler.signals.connect(self._closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    def proxy_for(self, request: Request) -> Proxy | None:
        """The proxy of a request in progress, with credentials. For the download handler."""
        if request.meta.get("proxy") != request.meta.get(OURS):
            # Other code has since chosen another proxy. It must not get our credentials, and we do not report on it.
            self._proxies.pop(request, None)
        return self._proxies.get(request)

    async def process_request(self, request: Request) -> Request | None:
        """Called by Scrapy. Chooses the proxy, or lets the request wait for one."""
        if urlparse_cached(request).scheme not in ("http", "https"):
            return None
        meta = request.meta
        # Scrapy itself may have set `proxy` from the environment, and a retried request still has the previous value.
        is_ours = meta.get("_scheme_proxy") or (OURS in meta and meta.get("proxy") == meta[OURS])
        bypasses = bool(meta.get("bypass_proxy"))
        if ("proxy" in meta and not is_ours) or bypasses:
            if bypasses and OURS in meta and is_ours:
                del meta["proxy"]
            for key in (OURS, "proxymesh_proxy"):
                meta.pop(key, None)
            return None
        try:
            choice = exit_asked_for(request)
            proxy = await self._next(request, choice.get("country"))
            if proxy is not None and choice:
                proxy = proxy.steer(**{**choice, "country": choice.get("country", self._country)})
        except ValidationError as error:
            raise self._ignored(request, error) from error
        if proxy is None:
            return self._give_back(request)
        # These belong to a proxy from the environment.
        request.headers.pop("Proxy-Authorization", None)
        meta.pop("_auth_proxy", None)
        self._proxies[request] = proxy
        meta["proxy"] = meta[OURS] = proxy.using().url()
        meta["proxymesh_proxy"] = proxy.name
        self._count("request_count")
        self._count(f"request_count/{proxy.name}")
        return None

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Called by Scrapy. Retries the request if the proxy refused it."""
        proxy = self._proxies.pop(request, None)
        if proxy is None:
            return response
        status = response.status
        del self._silences[proxy.name]
        # Through a tunnel, every response comes from the site. Without one, a response comes from the site if it went
        # through an exit (docs/assumptions.md, A19).
        of_the_proxy = urlparse_cached(request).scheme == "http" and b"X-ProxyMesh-IP" not in response.headers
        if of_the_proxy and status in PROXY_FAILURES:
            error = ProxyRefusedError(proxy.host, status, f"returned {status}: {meaning_of(status)}")
            self._failed(proxy, str(status), error.said)
            if again := self._again(request, str(status)):
                return again
            # This is not the page, so it must not be parsed as one or cached.
            raise error
        request.meta.pop("proxymesh_retry_times", None)
        if status in self._cooldown_http_codes:
            self._failed(proxy, str(status), f"got {status} from {urlparse_cached(request).netloc}")
        else:
            self._pool.report(proxy, True)
        return response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Called by Scrapy. Retries the request if it did not get through the proxy."""
        proxy = self._proxies.pop(request, None)
        if proxy is None:
            return None
        reason = type(exception).__name__
        if isinstance(exception, ProxyRefusedError):
            if exception.status in SITE_FAILURES:
                return None
            self._failed(proxy, str(exception.status or reason), exception.said)
            return self._again(request, str(exception.status or reason))
        cause = exception.__cause__
        if isinstance(exception, (DownloadConnectionRefusedError, CannotResolveHostError, ConnectError)) or isinstance(
            cause, ConnectTimeoutError
        ):
            self._failed(proxy, reason, f"could not be reached: {exception}")
            return self._again(request, reason)
        # After any other error, the request may have reached the site, so Scrapy decides whether to retry it.
        closed = isinstance(cause, ResponseNeverReceived) and urlparse_cached(request).scheme == "http"
        if closed or isinstance(exception, DownloadTimeoutError):
            self._silences[proxy.name] += 1
            if self._silences[proxy.name] >= SILENCES:
                del self._silences[proxy.name]
                self._failed(proxy, reason, f"did not respond {SILENCES} times in a row")
        return None

    async def _next(self, request: Request, country: str | None) -> Proxy | None:
        """The next proxy. None if the spider is closing and no proxy is available."""
        waited = False
        while True:
            try:
                proxy = await self._pool.get(country=country)
                if proxy.name == request.meta.get("proxymesh_proxy"):
                    # This is a retry, so use another proxy if possible.
                    proxy = await self._pool.get(country=country)
                return proxy
            except PoolExhaustedError as error:
                if self._is_closing():
                    return None
                if not error.retry_after or error.retry_after > self._max_wait:
                    if len(self._pool.cooling()) < len(self._pool.proxies):
                        # Only the proxies for this country are cooling down.
                        raise self._ignored(request, error) from error
                    await self._close_spider("proxymesh_exhausted", f"No proxy is usable: {error}")
                    return None
                ready = time.monotonic() + error.retry_after
            except ValidationError:
                raise
            except ProxyMeshError as error:
                if self._pool.listed:
                    raise  # Only the geo counts for this country are missing.
                await self._close_spider("proxymesh_unavailable", f"Could not fetch the account's proxies: {error}")
                return None
            if not waited:
                waited = True
                self._count("wait_count")
            while not self._is_closing() and (left := ready - time.monotonic()) > 0:
                await asyncio.sleep(min(SLICE, left))

    async def _close_spider(self, reason: str, why: str) -> None:
        """Closes the spider, because it cannot crawl without a proxy."""
        if self._closing is None:
            _logger.error("%s", why)
            closing = self._crawler.engine.close_spider_async(reason=reason)
            self._closing = asyncio.get_running_loop().create_task(closing)
        while not self._is_closing():
            # Wait until no more requests are taken from the scheduler.
            await asyncio.sleep(0)

    def _failed(self, proxy: Proxy, reason: str, what: str) -> None:
        self._count("failure_count")
        self._count(f"failure_count/{proxy.name}/{reason}")
        seconds = self._pool.report(proxy, False)
        if seconds is not None:
            self._count("cooldown_count")
            self._count(f"cooldown_count/{proxy.name}")
            _logger.warning("The proxy %s %s; left out for %.0f s", proxy.name, what, seconds)

    def _again(self, request: Request, reason: str) -> Request | None:
        times = request.meta.get("proxymesh_retry_times", 0) + 1
        if times > self._retry_times:
            self._count("retry/max_reached")
            return None
        again = request.copy()
        again.meta["proxymesh_retry_times"] = times
        again.dont_filter = True
        again.priority += self._priority_adjust
        self._count("retry/count")
        self._count(f"retry/reason_count/{reason}")
        return again

    def _ignored(self, request: Request, error: ProxyMeshError) -> IgnoreRequest:
        self._count("exhausted_count")
        _logger.error("Gave up on %s: %s", request, error)
        return IgnoreRequest(str(error))

    def _give_back(self, request: Request) -> Request:
        """Returns the request to the scheduler, so that a JOBDIR keeps it."""
        if request in self._given_back:
            # The request did not come from the scheduler. Code such as the robots.txt middleware is waiting for it.
            raise IgnoreRequest("the spider is closing, and no proxy is available")
        again: Request = request.copy()
        again.dont_filter = True
        self._given_back.add(again)
        return again

    def _is_closing(self) -> bool:
        slot = self._crawler.engine._slot
        return slot is not None and slot.closing is not None

    async def _closed(self) -> None:
        await self._client.aclose()

    def _count(self, what: str) -> None:
        self._crawler.stats.inc_value(f"proxymesh/{what}")


class ProxyMeshDownloadHandler(HTTP11DownloadHandler):
    """Scrapy's own download handler, extended. It sends the proxy headers to the proxy, and adds the exit IP to https
    responses.
    """

    lazy = True

    async def download_request(self, request: Request) -> Response:
        """Called by Scrapy."""
        middleware: ProxyMeshMiddleware | None = self._crawler.get_downloader_middleware(ProxyMeshMiddleware)
        proxy = None if middleware is None else middleware.proxy_for(request)
        headers = headers_for_proxy(request) if request.meta.get("proxy") else {}
        if proxy is not None:
            ours = proxy.headers()
            known = {name.lower() for name in ours}
            headers = {**ours, **{name: value for name, value in headers.items() if name not in known}}
        elif not headers:
            return await super().download_request(request)
        agent: Any = Agent(
            headers,
            CONNECT_TIMEOUT if middleware is None else middleware.connect_timeout,
            contextFactory=self._contextFactory,
            bindAddress=self._bind_address,
            pool=self._one_shot() if proxy is not None and proxy.is_rotating else self._pool,
            maxsize=getattr(self._crawler.spider, "download_maxsize", self._default_maxsize),
            warnsize=getattr(self._crawler.spider, "download_warnsize", self._default_warnsize),
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
            tls_verbose_logging=self._tls_verbose_logging,
        )
        with wrap_twisted_exceptions():
            return await maybe_deferred_to_future(agent.download_request(request))

    def _one_shot(self) -> Any:
        """A pool that keeps no connection."""
        pool = HTTPConnectionPool(self._pool._reactor, persistent=False)  # type: ignore[no-untyped-call]
        pool._factory = self._pool._factory
        return pool
