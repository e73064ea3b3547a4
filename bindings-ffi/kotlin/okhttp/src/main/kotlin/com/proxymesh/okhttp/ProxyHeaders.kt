package com.proxymesh.okhttp

import com.proxymesh.ExitLostException
import com.proxymesh.ProxyServer
import java.net.ProtocolException
import okhttp3.Authenticator
import okhttp3.Interceptor
import okhttp3.Request
import okhttp3.Response
import okhttp3.Route

/** Adds the headers for the proxy to what only the proxy reads. As an authenticator: to a `CONNECT`. As a network interceptor: to http. */
internal class ProxyHeaders(private val server: ProxyServer) : Authenticator, Interceptor {
    private val name = server.toString()
    private val forProxy = server.headers()

    /** For OkHttp. */
    val proxy = java.net.Proxy(java.net.Proxy.Type.HTTP, server.address)
    val isEmpty get() = forProxy.isEmpty()

    /** What has happened in the call that this thread makes. OkHttp connects and asks the authenticator in the call's thread. */
    val calls = ThreadLocal<CallState>()

    override fun authenticate(route: Route?, response: Response): Request? {
        // A site may answer 407 too, to get the credentials.
        if (route?.proxy != proxy || response.request.method != "CONNECT") return null
        val call = calls.get()
        // This is how OkHttp marks the response that it makes up, to ask before it sends the CONNECT.
        if (response.sentRequestAtMillis == -1L) {
            // OkHttp tries the next address of the proxy. It would refuse too, and the caller may be banned for that.
            if (call?.isRefused == true) throw ProtocolException("$name has refused the credentials")
            return response.request.withHeaders()
        }
        call?.isRefused = true
        throw ProxyRefusedException(name, response.code, response.header("X-ProxyMesh-Error"))
    }

    override fun intercept(chain: Interceptor.Chain): Response {
        val request = chain.request()
        request.checkHeaders()
        val route = chain.connection()?.route()
        // OkHttp may open a tunnel for http too (H2_PRIOR_KNOWLEDGE).
        if (route?.proxy != proxy || request.isHttps || route.requiresTunnel()) return chain.proceed(request)
        // The response must not show the credentials, and a cache must not store them.
        val response = chain.proceed(request.withHeaders()).newBuilder().request(request).build()
        try {
            server.requireHeldExit(response.header("X-ProxyMesh-IP"), response.header("X-ProxyMesh-IP-Not-Found"))
        } catch (lost: ExitLostException) {
            response.close()
            throw lost
        }
        return response
    }

    private fun Request.withHeaders(): Request =
        newBuilder().apply { forProxy.forEach { (name, value) -> header(name, value) } }.build()
}

/** What has happened in a call. */
internal class CallState {
    var isRefused = false
}

/** Surrounds each call: refuses what would reach a site or would not reach the proxy, and remembers a refusal. */
internal class CallGuard(private val told: ProxyHeaders) : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val request = chain.request()
        request.checkHeaders()
        // OkHttp runs no network interceptor for a WebSocket.
        if (!told.isEmpty && !request.isHttps && request.header("Upgrade").equals("websocket", ignoreCase = true)) {
            throw ProtocolException("OkHttp cannot send the credentials or the exit choice to the proxy for a ws URL; use wss")
        }
        val outer = told.calls.get()
        told.calls.set(CallState())
        try {
            return chain.proceed(request)
        } finally {
            if (outer == null) told.calls.remove() else told.calls.set(outer)
        }
    }
}

private fun Request.checkHeaders() {
    val found = headers.names().firstOrNull {
        it.equals("Proxy-Authorization", ignoreCase = true) || it.startsWith("X-ProxyMesh-", ignoreCase = true)
    }
    if (found != null) throw ProtocolException("the header $found is for the proxy, and an https site would get it; use ProxyServer.using or steer")
}
