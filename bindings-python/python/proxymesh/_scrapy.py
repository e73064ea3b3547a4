"""Makes Scrapy send headers to the proxy: with the CONNECT for an https target, with the request for an http target.

On its own, Scrapy sends only the credentials with a CONNECT, shares one tunnel among all requests to a site, and hides
the response. If the proxy closes the connection instead of responding, Scrapy waits until the request times out.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from typing import Any

from scrapy.core.downloader.handlers.http11 import (
    TunnelError,
    _ScrapyAgent,
    _ScrapyProxyAgent,
    _tunnel_request_data,
    _TunnelingAgent,
    _TunnelingTCP4ClientEndpoint,
)
from twisted.web.http_headers import Headers

from ._proxymesh import meaning_of

EXIT_IP = b"X-ProxyMesh-IP"


class ProxyRefusedError(TunnelError):
    """The proxy refused the request, or did not open a tunnel to an https target."""

    status: int | None
    """The status of its response; ``None`` if it closed the connection or is not an HTTP proxy."""
    said: str
    """What the proxy did, as text."""

    def __init__(self, proxy: str, status: int | None, said: str) -> None:
        self.status, self.said = status, said
        super().__init__(f"the proxy {proxy} {said}")


class Agent(_ScrapyAgent):
    """Sends one request through the proxy in its meta."""

    def __init__(self, for_proxy: dict[str, str], to_connect: float, **options: Any) -> None:
        super().__init__(**options)
        self.for_proxy, self.to_connect = for_proxy, to_connect

    def _get_agent(self, request: Any, timeout: float) -> Any:
        agent: Any = super()._get_agent(request, min(timeout, self.to_connect))
        tunnels = isinstance(agent, _TunnelingAgent)
        agent.__class__ = _Tunnels if tunnels else _Plain
        agent.for_proxy = self.for_proxy
        return agent


class _Plain(_ScrapyProxyAgent):
    for_proxy: dict[str, str]

    def request(self, method: bytes, uri: bytes, headers: Any = None, bodyProducer: Any = None) -> Any:
        headers = Headers() if headers is None else headers.copy()
        for name, value in self.for_proxy.items():
            headers.setRawHeaders(name, [value])
        return super().request(method, uri, headers, bodyProducer)


class _Tunnels(_TunnelingAgent):
    for_proxy: dict[str, str]

    def _getEndpoint(self, uri: Any) -> Any:
        endpoint: Any = super()._getEndpoint(uri)
        endpoint.__class__ = _Tunnel
        endpoint.for_proxy = self.for_proxy
        return endpoint

    def _requestWithEndpoint(self, key: tuple[Any, ...], *arguments: Any, **options: Any) -> Any:
        # A tunnel keeps its exit, so different headers need a different tunnel.
        return super()._requestWithEndpoint((*key, *self.for_proxy.items()), *arguments, **options)


class _Tunnel(_TunnelingTCP4ClientEndpoint):
    for_proxy: dict[str, str]
    _protocol: Any = None

    def connect(self, protocolFactory: Any) -> Any:
        return super().connect(protocolFactory).addCallbacks(self._opened, self._refused)

    def requestTunnel(self, protocol: Any) -> Any:
        head = _tunnel_request_data(self._tunneledHost, self._tunneledPort, self._proxyAuthHeader).removesuffix(b"\r\n")
        headers = "".join(f"{name}: {value}\r\n" for name, value in self.for_proxy.items())
        protocol.transport.write(head + headers.encode() + b"\r\n")
        self._protocolDataReceived = protocol.dataReceived
        protocol.dataReceived = self.processProxyResponse
        protocol.connectionLost = self._closed
        self._protocol = protocol
        return protocol

    def _closed(self, reason: Any) -> None:
        del self._protocol.connectionLost
        self._protocol.connectionLost(reason)
        if not self._tunnelReadyDeferred.called:
            self._tunnelReadyDeferred.errback(ProxyRefusedError(self._host, None, "closed the connection"))

    def _opened(self, protocol: Any) -> Any:
        del protocol.connectionLost
        _, headers = self._answer()
        if exit_ip := headers.get(EXIT_IP.lower()):
            send = protocol.request

            def tell(response: Any) -> Any:
                # The proxy's header overrides one from the target.
                response.headers.setRawHeaders(EXIT_IP, [exit_ip])
                return response

            protocol.request = lambda request: send(request).addCallback(tell)
        return protocol

    def _refused(self, failure: Any) -> Any:
        if self._protocol is not None:
            self._protocol.transport.loseConnection()
        if failure.check(TunnelError) and not failure.check(ProxyRefusedError):
            status, _ = self._answer()
            said = "is not an HTTP proxy" if status is None else f"returned {status}: {meaning_of(status)}"
            raise ProxyRefusedError(self._host, status, said) from failure.value
        return failure

    def _answer(self) -> tuple[int | None, dict[bytes, bytes]]:
        """The status and headers of the proxy's response."""
        first, *rest = bytes(self._connectBuffer).partition(b"\r\n\r\n")[0].split(b"\r\n")
        _, _, status = first.partition(b" ")
        headers = (line.partition(b":") for line in rest)
        return (
            int(status[:3]) if status[:3].isdigit() else None,
            {name.strip().lower(): value.strip() for name, _, value in headers},
        )
