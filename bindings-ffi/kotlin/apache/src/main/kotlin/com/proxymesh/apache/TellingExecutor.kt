package com.proxymesh.apache

import com.proxymesh.ExitLostException
import com.proxymesh.ProxyServer
import java.util.Collections
import java.util.WeakHashMap
import org.apache.hc.client5.http.HttpRoute
import org.apache.hc.client5.http.classic.ExecChain
import org.apache.hc.client5.http.classic.ExecChainHandler
import org.apache.hc.core5.http.ClassicHttpRequest
import org.apache.hc.core5.http.ClassicHttpResponse
import org.apache.hc.core5.http.Header
import org.apache.hc.core5.http.HttpException
import org.apache.hc.core5.http.HttpHost
import org.apache.hc.core5.http.HttpRequest
import org.apache.hc.core5.http.Method
import org.apache.hc.core5.http.ProtocolException
import org.apache.hc.core5.http.impl.io.HttpRequestExecutor
import org.apache.hc.core5.http.io.HttpClientConnection
import org.apache.hc.core5.http.io.HttpResponseInformationCallback
import org.apache.hc.core5.http.protocol.HttpContext

private const val STEERING = "X-ProxyMesh-"

/** The attribute of a context with the [Passage]. */
private const val PASSAGE = "com.proxymesh.apache.passage"

/** A request on its way through the proxy. */
private class Passage(val route: HttpRoute) {
    var isTold = false
}

/** Notes the route of each request that goes through the proxy, for the executor, because the context of a `CONNECT` has no route. */
internal class RouteNote(private val proxy: HttpHost) : ExecChainHandler {
    override fun execute(request: ClassicHttpRequest, scope: ExecChain.Scope, chain: ExecChain): ClassicHttpResponse {
        if (scope.route.proxyHost != proxy) return chain.proceed(request, scope)
        request.checkHeaders()
        val passage = Passage(scope.route)
        val context = scope.clientContext
        context.setAttribute(PASSAGE, passage)
        try {
            val response = chain.proceed(request, scope)
            if (passage.isTold) return response
            response.close()
            throw ProtocolException("the proxy was not told the credentials or the exit choice; set your request executor before proxyMesh")
        } finally {
            context.removeAttribute(PASSAGE)
        }
    }
}

/** Adds the headers for the proxy to what only the proxy reads, as the last step before it is sent. */
internal class TellingExecutor(private val proxy: ProxyServer) : HttpRequestExecutor() {
    private val forProxy = proxy.headers()

    /** What the proxy said when it opened the tunnel of a connection. */
    private val said = Collections.synchronizedMap(WeakHashMap<HttpClientConnection, List<Header>>())

    override fun execute(
        request: ClassicHttpRequest,
        connection: HttpClientConnection,
        informed: HttpResponseInformationCallback?,
        context: HttpContext,
    ): ClassicHttpResponse {
        val passage = context.getAttribute(PASSAGE) as? Passage ?: return super.execute(request, connection, informed, context)
        passage.isTold = true
        val isConnect = Method.CONNECT.isSame(request.method)
        if (passage.route.isTunnelled && !isConnect) {
            request.checkHeaders()
            val response = super.execute(request, connection, informed, context)
            response.headers.filter { it.isSteering }.forEach(response::removeHeader)
            said[connection]?.forEach(response::addHeader)
            return response
        }
        if (!isConnect) request.checkHeaders()
        try {
            forProxy.forEach(request::setHeader)
            val response = super.execute(request, connection, informed, context)
            if (isConnect) said[connection] = response.headers.filter { it.isSteering }
            requireHeldExit(response)
            return response
        } finally {
            // The context keeps the request.
            forProxy.keys.forEach(request::removeHeaders)
        }
    }

    private fun requireHeldExit(response: ClassicHttpResponse) {
        fun value(name: String) = response.getFirstHeader(name)?.value
        try {
            proxy.requireHeldExit(value("X-ProxyMesh-IP"), value("X-ProxyMesh-IP-Not-Found"))
        } catch (lost: ExitLostException) {
            // HttpClient would send the request again after an IOException.
            throw LostExit(lost)
        }
    }
}

/** The proxy has lost the exit IP. This is how it passes HttpClient's retries. */
private class LostExit(val lost: ExitLostException) : HttpException(lost.message)

/** Throws the exception that users expect. It surrounds HttpClient's retries. */
internal object LostExitHandler : ExecChainHandler {
    override fun execute(request: ClassicHttpRequest, scope: ExecChain.Scope, chain: ExecChain): ClassicHttpResponse =
        try {
            chain.proceed(request, scope)
        } catch (error: LostExit) {
            throw error.lost
        }
}

private val Header.isSteering get() = name.startsWith(STEERING, ignoreCase = true)

private fun HttpRequest.checkHeaders() {
    val found = headers.firstOrNull { it.isSteering || it.name.equals("Proxy-Authorization", ignoreCase = true) } ?: return
    throw ProtocolException("the header ${found.name} is for the proxy, and an https site would get it; use ProxyServer.using or steer")
}
