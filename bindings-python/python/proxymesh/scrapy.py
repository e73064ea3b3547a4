"""Scrapy through the account's proxies, enabled by one line of a project's settings::

    ADDONS = {"proxymesh.scrapy.Addon": 500}

Each request goes through the next of the proxies that the account may use, for http and https; one that fails is left
out for a while, and the request is sent again through another. The settings and meta keys are described at
`ProxyMeshMiddleware`, the stats in ``docs/scraping.md``.

It needs Scrapy 2.16 or later, and its asyncio reactor, which is the default.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import scrapy

if scrapy.version_info < (2, 16):
    raise ImportError(f"proxymesh.scrapy needs Scrapy 2.16 or later, and this is {scrapy.__version__}")

from scrapy import signals
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    IgnoreRequest,
    NotConfigured,
)
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.asyncio import is_asyncio_available
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import load_object
from twisted.internet.error import ConnectError
from twisted.internet.error import TimeoutError as ConnectTimeoutError

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
"""What a proxy answers on its own behalf (api.md, "Status codes")."""
SITE_FAILURES = (400, 403, 502, 503, 504)
"""What a proxy answers to a CONNECT because of the target, or of what was asked for."""
SLICE = 0.5
"""Seconds between two looks whether the crawl is stopped, while all proxies are cooling down."""


class Addon:
    """Enables the middleware, closest to the downloader, and the download handler for http and https."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Scrapy's hook."""
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
        Whether any of this happens.
    ``PROXYMESH_USERNAME``, ``PROXYMESH_PASSWORD``, ``PROXYMESH_TOKEN``, ``PROXYMESH_BASE_URL`` (``None``)
        The account, as for `proxymesh.Client`: without them, the environment variables of these names.
    ``PROXYMESH_CREDENTIALS`` (``True``)
        Whether the proxies get the account's credentials; not needed where this machine's IP is authorised.
    ``PROXYMESH_COUNTRY`` (``None``)
        Two letters: only exits in this country.
    ``PROXYMESH_ORDER`` (``"round_robin"``), ``PROXYMESH_TTL`` (``300``), ``PROXYMESH_COOLDOWN`` (``60``)
        As for `proxymesh.Proxies.pool`; seconds.
    ``PROXYMESH_COOLDOWN_HTTP_CODES`` (``[]``)
        Statuses of sites after which the proxy is left out, too, such as 403 or 429. The response is not affected.
    ``PROXYMESH_CONNECT_TIMEOUT`` (``10``)
        Seconds to connect to a proxy.
    ``PROXYMESH_RETRY_TIMES`` (``5``)
        How often a request that a proxy refused is sent through another. It did not reach its site, and this does not
        count for ``RETRY_TIMES``.
    ``PROXYMESH_MAX_WAIT`` (``60``)
        Seconds that a request waits at most while all proxies are cooling down; then it fails with `IgnoreRequest`.

    Meta keys of a request:

    ``proxymesh_country``
        Two letters, instead of the setting.
    ``proxy``
        Scrapy's own: with it, even if it is ``None``, the request goes where it says.
    ``proxymesh_proxy``
        Set by the middleware: the name of the proxy that the request went through.

    A response's header ``X-ProxyMesh-IP`` is its exit IP.
    """

    connect_timeout: float
    """For the download handler."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        if not settings.getbool("PROXYMESH_ENABLED", True):
            raise NotConfigured
        handlers = settings.getwithbase("DOWNLOAD_HANDLERS")
        if not all(issubclass(load_object(handlers[scheme]), ProxyMeshDownloadHandler) for scheme in ("http", "https")):
            reason = (
                "proxymesh.scrapy needs its own download handler for http and https, as Scrapy's sends no headers to a "
                "proxy: leave DOWNLOAD_HANDLERS alone, or derive from proxymesh.scrapy.ProxyMeshDownloadHandler"
            )
            raise ConfigError(reason, reason=reason)
        if not is_asyncio_available():
            reason = "proxymesh.scrapy needs Scrapy's asyncio reactor, its default: leave TWISTED_REACTOR alone"
            raise ConfigError(reason, reason=reason)
        self.connect_timeout = settings.getfloat("PROXYMESH_CONNECT_TIMEOUT", 10)
        self._retry_times = settings.getint("PROXYMESH_RETRY_TIMES", 5)
        self._max_wait = settings.getfloat("PROXYMESH_MAX_WAIT", 60)
        self._cooldown_http_codes = {int(code) for code in settings.getlist("PROXYMESH_COOLDOWN_HTTP_CODES")}
        self._priority_adjust = settings.getint("RETRY_PRIORITY_ADJUST")
        self._client = AsyncClient(
            settings.get("PROXYMESH_USERNAME"),
            settings.get("PROXYMESH_PASSWORD"),
            token=settings.get("PROXYMESH_TOKEN"),
            base_url=settings.get("PROXYMESH_BASE_URL"),
        )
        self._pool = self._client.proxies.pool(
            country=settings.get("PROXYMESH_COUNTRY"),
            order=settings.get("PROXYMESH_ORDER", "round_robin"),
            ttl=settings.getfloat("PROXYMESH_TTL", 300),
            cooldown=settings.getfloat("PROXYMESH_COOLDOWN", 60),
            credentials=settings.getbool("PROXYMESH_CREDENTIALS", True),
        )
        # Not in the request's meta, which is written to disk with a JOBDIR: they have credentials.
        self._proxies: WeakKeyDictionary[Request, Proxy] = WeakKeyDictionary()
        self._closing: asyncio.Task[None] | None = None
        self._crawler = crawler
        crawler.signals.connect(self._closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's hook."""
        return cls(crawler)

    def proxy_for(self, request: Request) -> Proxy | None:
        """The proxy of a request that is on its way, with credentials; for the download handler."""
        return self._proxies.get(request)

    async def process_request(self, request: Request) -> None:
        """Scrapy's hook: chooses the proxy, or lets the request wait for one."""
        if urlparse_cached(request).scheme not in ("http", "https"):
            return
        meta = request.meta
        # Scrapy itself puts there what the environment says, and a request that is sent again has what it had.
        chosen_by_others = "proxy" in meta and not meta.get("_scheme_proxy") and "proxymesh_proxy" not in meta
        if chosen_by_others:
            return
        proxy = await self._next(request)
        # Those of another proxy, of the environment's.
        request.headers.pop("Proxy-Authorization", None)
        meta.pop("_auth_proxy", None)
        self._proxies[request] = proxy
        meta["proxy"], meta["proxymesh_proxy"] = proxy.using().url(), proxy.name
        self._count("request_count")
        self._count(f"request_count/{proxy.name}")

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Scrapy's hook: sends the request again if the proxy refused it."""
        proxy = self._proxies.pop(request, None)
        if proxy is None:
            return response
        # In a tunnel all is the site's; without one, what passed an exit is (docs/assumptions.md, A19).
        of_the_proxy = urlparse_cached(request).scheme == "http" and b"X-ProxyMesh-IP" not in response.headers
        if of_the_proxy and response.status in PROXY_FAILURES:
            self._failed(proxy, str(response.status), f"answered {response.status}: {meaning_of(response.status)}")
            return self._again(request, str(response.status)) or response
        if response.status in self._cooldown_http_codes:
            self._failed(proxy, str(response.status), f"got {response.status} from {urlparse_cached(request).netloc}")
        else:
            self._pool.report(proxy, True)
        return response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Scrapy's hook: sends the request again if it did not get through the proxy."""
        proxy = self._proxies.pop(request, None)
        if proxy is None:
            return None
        reason = type(exception).__name__
        if isinstance(exception, ProxyRefusedError):
            if exception.status in SITE_FAILURES:
                return None
            reason = str(exception.status or reason)
        elif isinstance(exception, DownloadFailedError) and urlparse_cached(request).scheme == "http":
            # It may have reached the site: whether to send it again is for Scrapy to say.
            self._failed(proxy, reason, f"broke off: {exception}")
            return None
        elif not (
            isinstance(exception, (DownloadConnectionRefusedError, CannotResolveHostError, ConnectError))
            or isinstance(exception.__cause__, ConnectTimeoutError)
        ):
            return None
        self._failed(proxy, reason, getattr(exception, "said", None) or f"cannot be reached: {exception}")
        return self._again(request, reason)

    async def _next(self, request: Request) -> Proxy:
        country = request.meta.get("proxymesh_country")
        deadline = time.monotonic() + self._max_wait
        while True:
            try:
                return await self._pool.get(country=country)
            except PoolExhaustedError as error:
                ready = time.monotonic() + error.retry_after
                if not error.retry_after or ready > deadline:
                    self._count("exhausted_count")
                    _logger.error("Gave up %s: %s", request, error)
                    raise IgnoreRequest(str(error)) from error
                self._count("wait_count")
            except ValidationError as error:
                _logger.error("Gave up %s: %s", request, error)
                raise IgnoreRequest(str(error)) from error
            except ProxyMeshError as error:
                self._close_spider(error)
                raise IgnoreRequest(str(error)) from error
            while self._crawler.crawling and time.monotonic() < ready:
                await asyncio.sleep(min(SLICE, ready - time.monotonic()))
            if not self._crawler.crawling:
                raise IgnoreRequest("the crawl is stopped, and all proxies are cooling down")

    def _failed(self, proxy: Proxy, reason: str, what: str) -> None:
        self._count("failure_count")
        self._count(f"failure_count/{proxy.name}/{reason}")
        cooling = {one.name for one in self._pool.cooling()}
        self._pool.report(proxy, False)
        for one, seconds in self._pool.cooling().items():
            if one.name == proxy.name and one.name not in cooling:
                self._count("cooldown_count")
                self._count(f"cooldown_count/{one.name}")
                _logger.warning("The proxy %s %s; left out for %.0f s", one.name, what, seconds)

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

    def _close_spider(self, error: ProxyMeshError) -> None:
        """Without proxies there is nothing to crawl with, and to go on without them is what nobody wants."""
        if self._closing is None:
            _logger.error("The account's proxies cannot be had: %s", error)
            closing = self._crawler.engine.close_spider_async(reason="proxymesh_unavailable")
            self._closing = asyncio.get_running_loop().create_task(closing)

    async def _closed(self) -> None:
        await self._client.aclose()

    def _count(self, what: str) -> None:
        self._crawler.stats.inc_value(f"proxymesh/{what}")


class ProxyMeshDownloadHandler(HTTP11DownloadHandler):
    """Scrapy's own handler, which tells the proxy what is for the proxy, and the exit IP of https responses, too."""

    lazy = True

    async def download_request(self, request: Request) -> Response:
        """Scrapy's hook."""
        middleware: ProxyMeshMiddleware | None = self._crawler.get_downloader_middleware(ProxyMeshMiddleware)
        proxy = None if middleware is None else middleware.proxy_for(request)
        if middleware is None or proxy is None:
            return await super().download_request(request)
        agent: Any = Agent(
            proxy.headers(),
            middleware.connect_timeout,
            contextFactory=self._contextFactory,
            bindAddress=self._bind_address,
            pool=self._pool,
            maxsize=self._default_maxsize,
            warnsize=self._default_warnsize,
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
            tls_verbose_logging=self._tls_verbose_logging,
        )
        with wrap_twisted_exceptions():
            return await maybe_deferred_to_future(agent.download_request(request))
