@file:JvmName("ProxyMeshApache")

package com.proxymesh.apache

import com.proxymesh.ExitLostException
import com.proxymesh.ProxyServer
import org.apache.hc.client5.http.AuthenticationStrategy
import org.apache.hc.client5.http.impl.ChainElement
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder
import org.apache.hc.client5.http.impl.routing.DefaultProxyRoutePlanner
import org.apache.hc.core5.http.ConnectionReuseStrategy
import org.apache.hc.core5.http.HttpHost

/**
 * Sends the client's requests through this proxy, with its credentials and its exit choice.
 *
 * ```kotlin
 * val proxy = ProxyServer("open.proxymesh.com").using("me@ex.com", "secret").steer(ExitChoice(country = "DE"))
 * HttpClients.custom().proxyMesh(proxy).build().use { client ->
 *     client.execute(HttpGet("https://example.com/")) { response ->
 *         println("${response.code} by way of ${response.getFirstHeader("X-ProxyMesh-IP")?.value}")
 *     }
 * }
 * ```
 *
 * In Java, it is `ProxyMeshApache.proxyMesh(builder, proxy)`.
 *
 * The credentials and the exit choice go to the proxy, and never to a site: for an https page, on the `CONNECT` that opens the tunnel; for
 * an http page, on the request, where the proxy removes them. Redirects between http and https work. A request whose own headers include
 * `Proxy-Authorization` or `X-ProxyMesh-…` fails with a `ClientProtocolException`, because an https site would get them.
 *
 * The response header `X-ProxyMesh-IP` has the exit IP. For an https page, the proxy says it when it opens the tunnel, and every response
 * through the tunnel gets this header. If the proxy refuses, the response is the proxy's, and its header `X-ProxyMesh-Error` has the
 * reason. Headers of an https site with such names are removed. The same headers cannot be trusted in the response of an http site that the
 * proxy has not refused. A `407` is not answered with another try.
 *
 * HttpClient keeps a tunnel open for later requests to the same site, which then have the same exit IP. Each request for an http page may
 * have another one in any case. If the proxy rotates ([ProxyServer.rotating]), no connection is kept, so each request and each redirect
 * opens its own tunnel.
 *
 * If the proxy has lost the exit IP of its session ([ProxyServer.session]), a request fails with an [ExitLostException]. A request for an
 * https page is then not sent.
 *
 * This sets the builder's route planner, request executor and strategy for proxy authentication. If the proxy rotates, it also sets the
 * strategy for reusing connections. If you replace one of them later, a request either fails after it was sent, or does not go through this
 * proxy. A `RequestConfig` that names another proxy is obeyed, and that proxy gets no credentials. HttpClient's log of headers shows the
 * credentials at the level DEBUG. Call this once for each builder.
 *
 * @param proxy the proxy, with the credentials and the exit choice to use.
 * @return the builder.
 */
public fun HttpClientBuilder.proxyMesh(proxy: ProxyServer): HttpClientBuilder {
    val host = HttpHost("http", proxy.address.hostString, proxy.port)
    if (proxy.isRotating) setConnectionReuseStrategy(ConnectionReuseStrategy { _, _, _ -> false })
    return setRoutePlanner(DefaultProxyRoutePlanner(host))
        .setRequestExecutor(TellingExecutor(proxy))
        .addExecInterceptorFirst("PROXYMESH-EXIT", LostExitHandler)
        .addExecInterceptorBefore(ChainElement.CONNECT.name, "PROXYMESH", RouteNote(host))
        // There are no other credentials to try. The user's own are for sites.
        .setProxyAuthenticationStrategy(AuthenticationStrategy { _, _, _ -> emptyList() })
}
