package com.proxymesh.okhttp

import java.net.ProtocolException

/**
 * The proxy refused to open a tunnel, because it does not accept the credentials. OkHttp does not try this call again.
 *
 * ```kotlin
 * try {
 *     client.newCall(Request.Builder().url("https://example.com/").build()).execute().use { println(it.code) }
 * } catch (error: ProxyRefusedException) {
 *     println(error.reason)   // Wrong username or password.
 * }
 * ```
 *
 * @property status the status of the response to the `CONNECT`: 407.
 * @property reason the reason that the proxy gave in `X-ProxyMesh-Error`, if any.
 */
public class ProxyRefusedException internal constructor(proxy: String, public val status: Int, public val reason: String?) :
    ProtocolException("the proxy $proxy refused the tunnel ($status)" + reason?.let { ": $it" }.orEmpty())
