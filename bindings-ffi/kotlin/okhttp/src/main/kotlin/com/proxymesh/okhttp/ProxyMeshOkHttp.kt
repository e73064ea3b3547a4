@file:JvmName("ProxyMeshOkHttp")

package com.proxymesh.okhttp

import com.proxymesh.ExitLostException
import com.proxymesh.ProxyServer
import java.util.concurrent.TimeUnit
import okhttp3.ConnectionPool
import okhttp3.OkHttpClient
import okhttp3.Protocol

/**
 * Sends the client's requests through this proxy, with its credentials and its exit choice.
 *
 * ```kotlin
 * val proxy = ProxyServer("open.proxymesh.com").using("me@ex.com", "secret").steer(ExitChoice(country = "DE"))
 * val client = OkHttpClient.Builder().proxyMesh(proxy).build()
 * client.newCall(Request.Builder().url("http://example.com/").build()).execute().use { response ->
 *     println("${response.code} by way of ${response.header("X-ProxyMesh-IP")}")
 * }
 * ```
 *
 * In Java, it is `ProxyMeshOkHttp.proxyMesh(builder, proxy)`.
 *
 * The credentials and the exit choice go to the proxy, and never to a site: for an https page, on the `CONNECT` that opens the tunnel; for
 * an http page, on the request, where the proxy removes them. Redirects between http and https work. A request whose own headers include
 * `Proxy-Authorization` or `X-ProxyMesh-…` fails, because an https site would get them. A WebSocket needs a `wss` URL, because OkHttp
 * sends no headers to the proxy for `ws`.
 *
 * If the proxy refuses the credentials, the `407` is not answered with another try. For an http page, it is the response, and its header
 * `X-ProxyMesh-Error` has the reason. For an https page, the call fails with a [ProxyRefusedException]. If the proxy refuses a tunnel with
 * another status, the exception is OkHttp's own, and only its text contains the status.
 *
 * For an http page, the response header `X-ProxyMesh-IP` has the exit IP. OkHttp does not show the response to a `CONNECT`
 * ([issue 4301](https://github.com/square/okhttp/issues/4301)), so the exit IP of an https page is unknown. A site can make up this header.
 *
 * OkHttp keeps a tunnel open for later requests to the same site, which then have the same exit IP. Each request for an http page may have
 * another one in any case. If the proxy rotates ([ProxyServer.rotating]), each call opens a tunnel of its own. Redirects within one site
 * stay in its tunnel. This replaces the connection pool with one that keeps nothing, and allows HTTP/1.1 only, because the requests of an
 * HTTP/2 connection share a tunnel.
 *
 * If the proxy has lost the exit IP of its session ([ProxyServer.session]), a request for an http page fails with an [ExitLostException],
 * after it was sent. A request for an https page goes on with another exit IP, because OkHttp does not show the proxy's response.
 *
 * The builder's proxy and proxy authenticator are replaced, and its `proxySelector` is not used. The effect of an earlier call is undone,
 * so `client.newBuilder().proxyMesh(another)` is a client for another proxy. If the earlier proxy rotated, the client still keeps no
 * connections and uses HTTP/1.1 only. Clients for different proxies may share a connection pool. A network interceptor that is added later
 * sees the credentials on requests for http pages. Add one that logs before this call.
 *
 * @param proxy the proxy, with the credentials and the exit choice to use.
 * @return the builder.
 */
public fun OkHttpClient.Builder.proxyMesh(proxy: ProxyServer): OkHttpClient.Builder {
    val told = ProxyHeaders(proxy)
    interceptors().removeAll { it is CallGuard }
    networkInterceptors().removeAll { it is ProxyHeaders }
    if (proxy.isRotating) connectionPool(ConnectionPool(0, 1, TimeUnit.SECONDS)).protocols(listOf(Protocol.HTTP_1_1))
    return proxy(told.proxy).proxyAuthenticator(told).addInterceptor(CallGuard(told)).addNetworkInterceptor(told)
}
