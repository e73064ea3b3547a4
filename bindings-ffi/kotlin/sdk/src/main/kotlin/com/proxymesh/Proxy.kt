package com.proxymesh

import com.proxymesh.internal.Credentials
import com.proxymesh.internal.proxyHeaders
import com.proxymesh.internal.proxyOf
import com.proxymesh.internal.proxyUrlWith
import java.net.InetSocketAddress

/**
 * A proxy server that the account may use.
 *
 * ```kotlin
 * val proxy = Proxy("us-ca.proxymesh.com")
 * proxy.name                      // us-ca
 * proxy.country                   // US
 * proxy.url                       // http://us-ca.proxymesh.com:31280
 * proxy.url("me@ex.com", "a b")   // http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280
 * ```
 *
 * @throws ValidationException the host is not a DNS name, the port is not from 1 to 65535, or the host includes a port that differs
 *   from the one given.
 */
public class Proxy
    internal constructor(checked: CheckedProxy) {
        /** The domain, such as `us-ca.proxymesh.com`. */
        public val host: String = checked.host

        /** The port, usually 31280. */
        public val port: Int = checked.port

        /**
         * The proxy at this host. The host may include the port, as the service writes it: `us-ca.proxymesh.com:31280`. Otherwise the
         * port is 31280, which all proxies of the service use.
         */
        public constructor(host: String) : this(CheckedProxy.of(host, null))

        /** The proxy at this host and port. If the host includes a port, it must be the same one. */
        public constructor(host: String, port: Int) : this(CheckedProxy.of(host, port))

        /**
         * The host and port to connect to, unresolved, as in `java.net.Proxy(java.net.Proxy.Type.HTTP, proxy.address)`. For the
         * sandbox's proxies, the host is `localhost`, because few resolvers know that `us-ca.localhost` is this machine.
         */
        public val address: InetSocketAddress = InetSocketAddress.createUnresolved(checked.addressHost, checked.port)

        /** The first part of the domain, such as `us-ca`. */
        public val name: String = checked.name

        /** The URL without credentials, for a machine whose IP or hostname is authorised. */
        public val url: String = checked.url

        /**
         * The country of its exit IPs as an ISO 3166 code, if the name contains it: `US` for `us-ca`, `GB` for `uk`. Null for `open`
         * and `world`, which have exit IPs in many countries.
         */
        public val country: String? = checked.country

        /** Whether an [ExitChoice] can choose the country: true for `open` and `world`, which have exit IPs in many countries. */
        public val choosesCountry: Boolean = checked.choosesCountry

        /**
         * The URL with credentials, for any HTTP library. They are percent-encoded, so they may contain `@` or `:`. The URL contains
         * the password, so keep it out of logs.
         *
         * @param username the username of the account or of a sub-account.
         * @param password the password for the username.
         */
        public fun url(username: String, password: String): String =
            run(proxyUrlWith(host, port, username, password)) { it }

        /**
         * The headers to send to the proxy: on the `CONNECT` request for an https target, and on the request itself for an http target.
         * `Proxy-Authorization` contains the credentials, as Basic in UTF-8. Keep it out of logs.
         *
         * OkHttp needs them in two places. For https, it asks the `proxyAuthenticator` before it sends the `CONNECT`, and the
         * authenticator adds them. For http, a network interceptor adds them to the request. The code below does not retry after a
         * `407`, because the proxy would refuse the same headers again.
         *
         * ```kotlin
         * val proxy = Proxy("open.proxymesh.com")
         * val headers = proxy.headers("me@ex.com", "a b", ExitChoice(country = "DE"))
         * fun Request.withHeaders() = newBuilder().apply { headers.forEach { (name, value) -> header(name, value) } }.build()
         * val client = OkHttpClient.Builder()
         *     .proxy(java.net.Proxy(java.net.Proxy.Type.HTTP, proxy.address))
         *     .proxyAuthenticator { _, response ->
         *         val before = response.challenges().any { it.scheme == "OkHttp-Preemptive" }
         *         if (before && headers.isNotEmpty()) response.request.withHeaders() else null
         *     }
         *     .addNetworkInterceptor { chain ->
         *         val request = chain.request()
         *         chain.proceed(if (request.isHttps) request else request.withHeaders())
         *     }
         *     .build()
         * ```
         *
         * Pass the headers to a library only if it sends them to the proxy alone. Do not pass them to these:
         *
         * - Ktor's CIO engine sends all of them to the site, including the password, and the proxy picks any exit IP.
         * - `java.net.http` sends the exit choice to an https site. Ktor's Java engine and jsoup (since 1.21), which use it, do
         *   the same.
         * - `HttpURLConnection` sends none of them with the `CONNECT`. An https site gets every header that is set, including the
         *   password. Older versions of jsoup, which use it, do the same.
         *
         * @param username the username of the account or of a sub-account.
         * @param password the password for the username.
         * @param exit the exit IP to ask for.
         * @throws ConfigException the username or password is invalid.
         * @throws ValidationException this proxy cannot choose the country.
         */
        @JvmOverloads
        public fun headers(username: String, password: String, exit: ExitChoice = ExitChoice()): Map<String, String> =
            headersOf(this, Credentials.Basic(username, password), exit)

        /**
         * The same headers with a token, instead of a username and password.
         *
         * @param token a token (`pm_…`).
         * @param exit the exit IP to ask for.
         * @throws ConfigException the token is invalid.
         * @throws ValidationException this proxy cannot choose the country.
         */
        @JvmOverloads
        public fun headers(token: String, exit: ExitChoice = ExitChoice()): Map<String, String> =
            headersOf(this, Credentials.Bearer(token), exit)

        /**
         * The same headers without credentials, for a machine whose IP or hostname is authorised.
         *
         * @param exit the exit IP to ask for.
         * @throws ValidationException this proxy cannot choose the country.
         */
        @JvmOverloads
        public fun headers(exit: ExitChoice = ExitChoice()): Map<String, String> = headersOf(this, null, exit)

        /** Whether both have the same host and port. */
        override fun equals(other: Any?): Boolean = other is Proxy && host == other.host && port == other.port

        /** A hash of the host and port. */
        override fun hashCode(): Int = 31 * host.hashCode() + port

        /** The proxy as `domain:port`. */
        override fun toString(): String = "$host:$port"
    }

// This is not a method of the class, because a signature there must not name a class that users cannot see.
private fun headersOf(proxy: Proxy, credentials: Credentials?, exit: ExitChoice): Map<String, String> =
    run(proxyHeaders(proxy.host, proxy.port, credentials, exit.toFfi())) { it.toSortedMap() }

/** A host and port that the core has checked, with what it derives from them. */
internal class CheckedProxy(
    val host: String,
    val port: Int,
    val addressHost: String,
    val name: String,
    val url: String,
    val country: String?,
    val choosesCountry: Boolean,
) {
    companion object {
        fun of(host: String, port: Int?): CheckedProxy = run(proxyOf(host, port)) { it.checked() }
    }
}
