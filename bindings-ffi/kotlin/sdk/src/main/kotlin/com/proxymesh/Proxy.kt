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
 * @throws ValidationException the host is not a DNS name, the port is not from 1 to 65535, or the host holds another port than the
 *   one given.
 */
public class Proxy
    internal constructor(checked: CheckedProxy) {
        /** The domain, such as `us-ca.proxymesh.com`. */
        public val host: String = checked.host

        /** The port, usually 31280. */
        public val port: Int = checked.port

        /**
         * The proxy at this host. The host may hold the port, as the service writes it: `us-ca.proxymesh.com:31280`. Otherwise the
         * port is 31280, that of all proxies of the service.
         */
        public constructor(host: String) : this(CheckedProxy.of(host, null))

        /** The proxy at this host and port. The host may hold the same port, and no other. */
        public constructor(host: String, port: Int) : this(CheckedProxy.of(host, port))

        /**
         * Where to connect to, unresolved: `java.net.Proxy(java.net.Proxy.Type.HTTP, proxy.address)`. It is the [host] and [port],
         * but `localhost` for the sandbox's proxies, as few resolvers know that `us-ca.localhost` is this machine.
         */
        public val address: InetSocketAddress = InetSocketAddress.createUnresolved(checked.addressHost, checked.port)

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
         * OkHttp is told so twice. For https its `proxyAuthenticator` is asked before the `CONNECT` is sent, and puts them there; for
         * http a network interceptor puts them on the request. A `407` is not answered: what was refused is refused again.
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
         * Give them to a library only where it sends them to the proxy alone. These do not, and must not get them:
         *
         * - Ktor's CIO engine sends all of them to the site, the password included, and goes out by any exit.
         * - `java.net.http`, and Ktor's Java engine and jsoup (since 1.21) on top of it, send the choice of the exit to an https site.
         * - `HttpURLConnection`, and older versions of jsoup on top of it, put none on the `CONNECT`: an https site gets what is set,
         *   the password included.
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
        fun of(host: String, port: Int?): CheckedProxy = translated { proxyOf(host, port).checked() }
    }
}
