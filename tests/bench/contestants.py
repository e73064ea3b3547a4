"""The call that is measured, written for each library as its users would write it.

A contestant is a generator: it creates a client, yields the call, and closes the client. Every call is
`GET /api/sub/get/?username=x` with Basic auth over a kept-alive connection. It raises an error for an error status, has
a time limit, and reads three fields of the response. The libraries have their default settings unless a comment says
why not.

Libraries are imported where they are used, and this module imports nothing else, because the start of a process is
measured too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from typing import Any

    import proxymesh

    Call = Callable[[], object]
    AsyncCall = Callable[[], Awaitable[object]]
    Contestant = Callable[["Service"], Generator[Call, None, None]]
    AsyncContestant = Callable[["Service"], AsyncGenerator[AsyncCall, None]]

USER, PASSWORD = "user", "pass"
BASIC = "Basic dXNlcjpwYXNz"
PATH = "/api/sub/get/"
QUERY = {"username": "x"}
TIMEOUT = 30.0
POOL = 256  # the pool size of libraries that would keep fewer connections than there are calls in flight


class Service:
    """The address of the benchmark's server, and the files with which clients trust its certificate."""

    def __init__(self, base_url: str, ca_file: str, bundle: str) -> None:
        self.base_url = base_url
        self.url = base_url + PATH
        self.host, port = base_url.rpartition("/")[2].split(":")
        self.port = int(port)
        self.tls = base_url.startswith("https:")
        self.ca_file = ca_file  # for libraries that bring the public roots and accept an additional one
        self.bundle = bundle  # the public roots and this one, for libraries that take a file with all roots

    def ssl_context(self) -> ssl.SSLContext:
        import ssl

        return ssl.create_default_context(cafile=self.bundle)


def fields(account: dict[str, Any]) -> object:
    return account["username"], account["active"], account["monthly_bandwidth"]


def attributes(account: proxymesh.SubAccount) -> object:
    return account.username, account.active, account.monthly_bandwidth


def nothing(_service: Service) -> Generator[Call, None, None]:
    """A call that does nothing. The cost of its process is subtracted from the others' costs."""
    yield lambda: None


def proxymesh_(service: Service) -> Generator[Call, None, None]:
    import proxymesh

    ca_file = service.ca_file if service.tls else None
    with proxymesh.Client(USER, PASSWORD, base_url=service.base_url, ca_file=ca_file) as client:
        yield lambda: attributes(client.sub_accounts.get("x"))


def requests_(service: Service) -> Generator[Call, None, None]:
    import requests

    def call() -> object:
        answer = session.get(service.url, params=QUERY, timeout=TIMEOUT)
        answer.raise_for_status()
        return fields(answer.json())

    with requests.Session() as session:
        session.auth = (USER, PASSWORD)
        session.verify = service.bundle
        for scheme in ("http://", "https://"):
            session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=POOL))
        yield call


def niquests_(service: Service) -> Generator[Call, None, None]:
    import niquests

    def call() -> object:
        answer = session.get(service.url, params=QUERY, timeout=TIMEOUT)
        answer.raise_for_status()
        return fields(answer.json())

    with niquests.Session(pool_maxsize=POOL) as session:
        session.auth = (USER, PASSWORD)
        session.verify = service.bundle
        yield call


def httpx_(service: Service) -> Generator[Call, None, None]:
    import httpx

    def call() -> object:
        return fields(client.get(service.url, params=QUERY).raise_for_status().json())

    limits = httpx.Limits(max_connections=POOL, max_keepalive_connections=POOL)
    context = service.ssl_context()
    with httpx.Client(auth=(USER, PASSWORD), verify=context, limits=limits, timeout=TIMEOUT) as client:
        yield call


def urllib3_(service: Service) -> Generator[Call, None, None]:
    import urllib3

    def call() -> object:
        answer = pool.request("GET", service.url, fields=QUERY)
        if answer.status != 200:
            raise RuntimeError(answer.status)
        return fields(answer.json())

    headers = urllib3.make_headers(basic_auth=f"{USER}:{PASSWORD}")
    with urllib3.PoolManager(maxsize=POOL, ca_certs=service.bundle, headers=headers, timeout=TIMEOUT) as pool:
        yield call


def pycurl_(service: Service) -> Generator[Call, None, None]:
    from json import loads
    from urllib.parse import urlencode

    import pycurl

    def call() -> object:
        curl.setopt(pycurl.URL, f"{service.url}?{urlencode(QUERY)}")
        return fields(loads(curl.perform_rb()))

    curl = pycurl.Curl()
    curl.setopt(pycurl.USERPWD, f"{USER}:{PASSWORD}")
    curl.setopt(pycurl.FAILONERROR, True)
    curl.setopt(pycurl.TIMEOUT, int(TIMEOUT))
    curl.setopt(pycurl.NOSIGNAL, True)  # needed in threads
    curl.setopt(pycurl.CAINFO, service.bundle)
    yield call
    curl.close()


def http_client(service: Service) -> Generator[Call, None, None]:
    from http.client import HTTPConnection, HTTPSConnection
    from json import loads
    from urllib.parse import urlencode

    def call() -> object:
        connection.request("GET", f"{PATH}?{urlencode(QUERY)}", headers={"Authorization": BASIC})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(answer.status)
        return fields(loads(body))

    if service.tls:
        connection: HTTPConnection = HTTPSConnection(
            service.host, service.port, timeout=TIMEOUT, context=service.ssl_context()
        )
    else:
        connection = HTTPConnection(service.host, service.port, timeout=TIMEOUT)
    yield call
    connection.close()


def pyreqwest_(service: Service) -> Generator[Call, None, None]:
    from datetime import timedelta

    from pyreqwest.client import SyncClientBuilder

    def call() -> object:
        request = client.get(service.url).query(QUERY).basic_auth(USER, PASSWORD).build()
        return fields(request.send().json())

    builder = SyncClientBuilder().error_for_status(True).timeout(timedelta(seconds=TIMEOUT))
    if service.tls:
        builder = builder.add_root_certificate_pem(pem(service))
    with builder.build() as client:
        yield call


def primp_(service: Service) -> Generator[Call, None, None]:
    import primp

    def call() -> object:
        answer = client.get(service.url, params=QUERY)
        answer.raise_for_status()
        return fields(answer.json())

    ca_file = service.ca_file if service.tls else None
    client = primp.Client(auth=(USER, PASSWORD), ca_cert_file=ca_file, timeout=TIMEOUT)
    yield call


async def proxymesh_async(service: Service) -> AsyncGenerator[AsyncCall, None]:
    import proxymesh

    async def call() -> object:
        return attributes(await client.sub_accounts.get("x"))

    ca_file = service.ca_file if service.tls else None
    async with proxymesh.AsyncClient(USER, PASSWORD, base_url=service.base_url, ca_file=ca_file) as client:
        yield call


async def aiohttp_(service: Service) -> AsyncGenerator[AsyncCall, None]:
    import aiohttp

    async def call() -> object:
        async with session.get(service.url, params=QUERY) as answer:
            return fields(await answer.json())

    connector = aiohttp.TCPConnector(limit=POOL, ssl=service.ssl_context() if service.tls else True)
    async with aiohttp.ClientSession(
        auth=aiohttp.BasicAuth(USER, PASSWORD),
        connector=connector,
        raise_for_status=True,
        timeout=aiohttp.ClientTimeout(TIMEOUT),
    ) as session:
        yield call


async def pyreqwest_async(service: Service) -> AsyncGenerator[AsyncCall, None]:
    from datetime import timedelta

    from pyreqwest.client import ClientBuilder

    async def call() -> object:
        request = client.get(service.url).query(QUERY).basic_auth(USER, PASSWORD).build()
        return fields(await (await request.send()).json())

    builder = ClientBuilder().error_for_status(True).timeout(timedelta(seconds=TIMEOUT))
    if service.tls:
        builder = builder.add_root_certificate_pem(pem(service))
    async with builder.build() as client:
        yield call


async def httpx_async(service: Service) -> AsyncGenerator[AsyncCall, None]:
    import httpx

    async def call() -> object:
        return fields((await client.get(service.url, params=QUERY)).raise_for_status().json())

    limits = httpx.Limits(max_connections=POOL, max_keepalive_connections=POOL)
    context = service.ssl_context()
    async with httpx.AsyncClient(auth=(USER, PASSWORD), verify=context, limits=limits, timeout=TIMEOUT) as client:
        yield call


async def niquests_async(service: Service) -> AsyncGenerator[AsyncCall, None]:
    import niquests

    async def call() -> object:
        answer = await session.get(service.url, params=QUERY, timeout=TIMEOUT)
        answer.raise_for_status()
        return fields(answer.json())

    async with niquests.AsyncSession(pool_maxsize=POOL) as session:
        session.auth = (USER, PASSWORD)
        session.verify = service.bundle
        yield call


async def primp_async(service: Service) -> AsyncGenerator[AsyncCall, None]:
    import primp

    async def call() -> object:
        answer = await client.get(service.url, params=QUERY)
        answer.raise_for_status()
        return fields(answer.json())

    ca_file = service.ca_file if service.tls else None
    client = primp.AsyncClient(auth=(USER, PASSWORD), ca_cert_file=ca_file, timeout=TIMEOUT)
    yield call


def pem(service: Service) -> bytes:
    with open(service.ca_file, "rb") as file:
        return file.read()


BLOCKING: dict[str, Contestant] = {
    "proxymesh": proxymesh_,
    "requests": requests_,
    "httpx": httpx_,
    "niquests": niquests_,
    "urllib3": urllib3_,
    "http.client": http_client,
    "pycurl": pycurl_,
    "pyreqwest": pyreqwest_,
    "primp": primp_,
}

# Clients of these have one connection and cannot be shared among threads, so each thread gets its own.
PER_THREAD = {"http.client", "pycurl"}

ASYNC: dict[str, AsyncContestant] = {
    "proxymesh async": proxymesh_async,
    "aiohttp": aiohttp_,
    "pyreqwest async": pyreqwest_async,
    "httpx async": httpx_async,
    "niquests async": niquests_async,
    "primp async": primp_async,
}

# These run on uvloop as well, named "… uvloop".
ON_UVLOOP = {"proxymesh async", "aiohttp", "pyreqwest async"}
