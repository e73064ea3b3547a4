package com.proxymesh

import com.proxymesh.internal.Credentials
import com.proxymesh.internal.proxyHeaders
import com.proxymesh.internal.proxyOf
import com.proxymesh.internal.proxyUrlWith

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
 * @property host the domain, such as `us-ca.proxymesh.com`.
 * @property port the port, usually 31280.
 * @throws ValidationException the host is no DNS name, or the port not from 1 to 65535.
 */
public class Proxy
    internal constructor(public val host: String, public val port: Int, checked: CheckedProxy) {
        /** A proxy at this host and port. */
        @JvmOverloads
        public constructor(host: String, port: Int = 31280) : this(host, port, CheckedProxy.of(host, port))

        /** The first part of the domain, such as `us-ca`. */
        public val name: String = checked.name

        /** The URL without credentials, for a machine whose IP or hostname is authorised. */
        public val url: String = checked.url

        /**
         * The country that its exits are in, as an ISO 3166 code, if its name tells: `US` of `us-ca`, `GB` of `uk`. Null for `open`
         * and `world`, which have many.
         */
        public val country: String? = checked.country

        /** Whether it has exits in many countries, of which an [ExitChoice] can choose one: `open` and `world`. */
        public val choosesCountry: Boolean = checked.choosesCountry

        /**
         * The URL with credentials, for any HTTP library. They are percent-encoded, so that an `@` or `:` in them is safe. The
         * URL holds the password: keep it out of logs.
         *
         * @param username the account's, or a sub-account's.
         * @param password its password.
         */
        public fun url(username: String, password: String): String =
            translated { proxyUrlWith(host, port, username, password) }

        /**
         * The headers that are for the proxy: on the `CONNECT` request for an https target, on the request itself for an http one.
         * `Proxy-Authorization` holds the password, in UTF-8: keep it out of logs.
         *
         * OkHttp takes them for https from its `proxyAuthenticator`, which it asks before it sends the `CONNECT`:
         *
         * ```kotlin
         * val proxy = Proxy("open.proxymesh.com")
         * val headers = proxy.headers("me@ex.com", "a b", exit = ExitChoice(country = "DE"))
         * val client = OkHttpClient.Builder()
         *     .proxy(java.net.Proxy(java.net.Proxy.Type.HTTP, InetSocketAddress(proxy.host, proxy.port)))
         *     .proxyAuthenticator { _, response ->
         *         val refused = response.request.header("Proxy-Authorization") != null
         *         if (refused) null else response.request.newBuilder().apply { headers.forEach { (k, v) -> header(k, v) } }.build()
         *     }
         *     .build()
         * ```
         *
         * `java.net.http` puts one of them alone on its `CONNECT`, `Proxy-Authorization`, and Basic only if the system property
         * `jdk.http.auth.tunneling.disabledSchemes` is empty: with an https target it can choose no exit.
         *
         * @param username the account's, or a sub-account's.
         * @param password its password.
         * @param exit which exit IP to ask for.
         * @throws ConfigException the username or the password is unusable.
         * @throws ValidationException a country that this proxy cannot choose.
         */
        @JvmOverloads
        public fun headers(username: String, password: String, exit: ExitChoice = ExitChoice()): Map<String, String> =
            headersOf(this, Credentials.Basic(username, password), exit)

        /**
         * The same with a token.
         *
         * @param token a token (`pm_…`).
         * @param exit which exit IP to ask for.
         * @throws ConfigException the token is unusable.
         * @throws ValidationException a country that this proxy cannot choose.
         */
        @JvmOverloads
        public fun headers(token: String, exit: ExitChoice = ExitChoice()): Map<String, String> =
            headersOf(this, Credentials.Bearer(token), exit)

        /**
         * The same without credentials, for a machine whose IP or hostname is authorised.
         *
         * @param exit which exit IP to ask for.
         * @throws ValidationException a country that this proxy cannot choose.
         */
        @JvmOverloads
        public fun headers(exit: ExitChoice = ExitChoice()): Map<String, String> = headersOf(this, null, exit)

        /** Whether it is the same host and port. */
        override fun equals(other: Any?): Boolean = other is Proxy && host == other.host && port == other.port

        /** Of the host and port. */
        override fun hashCode(): Int = 31 * host.hashCode() + port

        /** `domain:port` */
        override fun toString(): String = "$host:$port"
    }

// Not a method of the class, because no signature there may name a class that its users do not see.
private fun headersOf(proxy: Proxy, credentials: Credentials?, exit: ExitChoice): Map<String, String> =
    translated { proxyHeaders(proxy.host, proxy.port, credentials, exit.crossing()).toSortedMap() }

/** What the core makes of a host and port; those that the service lists come with it. */
internal class CheckedProxy(val name: String, val url: String, val country: String?, val choosesCountry: Boolean) {
    companion object {
        fun of(host: String, port: Int): CheckedProxy = translated { proxyOf(host, port).checked() }
    }
}
