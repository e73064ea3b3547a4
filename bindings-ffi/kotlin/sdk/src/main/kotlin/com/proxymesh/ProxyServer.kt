package com.proxymesh

import com.proxymesh.internal.proxyCheck
import com.proxymesh.internal.proxyHeaders
import com.proxymesh.internal.proxyOf
import com.proxymesh.internal.proxyUrl
import com.proxymesh.internal.proxyUrlWith
import java.net.InetSocketAddress
import java.time.Duration
import java.util.concurrent.CompletableFuture

/**
 * A proxy server that the account may use. It is not called `Proxy`, because code with proxies often uses `java.net.Proxy` too.
 *
 * ```kotlin
 * val proxy = ProxyServer("us-ca.proxymesh.com")
 * proxy.name                                 // us-ca
 * proxy.country                              // US
 * proxy.url()                                // http://us-ca.proxymesh.com:31280
 * proxy.using("me@ex.com", "a b").url()      // http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280
 * ```
 *
 * A proxy that the service lists has no credentials. It works as it is on a machine whose IP or hostname is authorised. [using] returns
 * it with credentials, and [steer] with an exit choice. The proxies of a pool have the client's credentials.
 *
 * @throws ValidationException the host is neither a DNS name nor an IPv4 address, the port is not from 1 to 65535, or the host includes a
 *   port that differs from the one given.
 */
public class ProxyServer
    internal constructor(private val checked: CheckedProxy) {
        /** The domain, such as `us-ca.proxymesh.com`. */
        public val host: String get() = checked.host

        /** The port, usually 31280. */
        public val port: Int get() = checked.port

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
        public val address: InetSocketAddress get() = InetSocketAddress.createUnresolved(checked.addressHost, checked.port)

        /** The first part of the domain, such as `us-ca`. */
        public val name: String get() = checked.name

        /**
         * The country of its exit IPs as an ISO 3166 code, if the name contains it: `US` for `us-ca`, `GB` for `uk`. Null for `open`
         * and `world`, which have exit IPs in many countries.
         */
        public val country: String? get() = checked.country

        /** Whether [steer] can choose the country: true for `open` and `world`, which have exit IPs in many countries. */
        public val choosesCountry: Boolean get() = checked.choosesCountry

        /** Which exit IP to ask it for. */
        public val exitChoice: ExitChoice get() = checked.exit

        internal val credentials: Credentials? get() = checked.credentials

        /**
         * Returns the same proxy with this username and password.
         *
         * @param username the username of the account or of a sub-account.
         * @param password the password for the username.
         * @throws ConfigException the username or password is invalid.
         */
        public fun using(username: String, password: String): ProxyServer = with(Credentials(username, password), exitChoice)

        /**
         * Returns the same proxy with a token, instead of a username and password.
         *
         * @param token a token (`pm_…`).
         * @throws ConfigException the token is invalid.
         */
        public fun usingToken(token: String): ProxyServer = with(Credentials(null, token), exitChoice)

        /**
         * Returns the same proxy with the credentials of a client.
         *
         * @throws ConfigException the client is closed.
         */
        public fun using(client: Client): ProxyServer = client.calls.using(this)

        /**
         * Returns the same proxy with the credentials of a client.
         *
         * @throws ConfigException the client is closed.
         */
        public fun using(client: BlockingClient): ProxyServer = client.calls.using(this)

        /**
         * Returns the same proxy with the credentials of a client.
         *
         * @throws ConfigException the client is closed.
         */
        public fun using(client: AsyncClient): ProxyServer = client.calls.using(this)

        /** Returns the same proxy without credentials, for a machine whose IP or hostname is authorised. */
        public fun withoutCredentials(): ProxyServer = with(null, exitChoice)

        /**
         * Returns the same proxy with this exit choice. It replaces an earlier choice. It is sent in the headers `X-ProxyMesh-Country`,
         * `X-ProxyMesh-Prefer-IP` and `X-ProxyMesh-Not-IP`.
         *
         * ```kotlin
         * ProxyServer("open.proxymesh.com").steer(ExitChoice(country = "DE")).headers()   // {X-ProxyMesh-Country=DE}
         * ```
         *
         * @throws ValidationException this proxy has no exit IPs in the country, and cannot choose one.
         */
        public fun steer(exit: ExitChoice): ProxyServer = with(credentials, exit)

        /** The URL without credentials, for a machine whose IP or hostname is authorised. */
        public val plainUrl: String get() = checked.plainUrl

        /**
         * The URL for any HTTP library, with the proxy's credentials if it has any. They are percent-encoded, so they may contain `@`
         * or `:`. The URL then contains the password, so keep it out of logs. An exit choice cannot go into a URL; use [headers].
         *
         * @throws ValidationException the credentials are a token. A token cannot go into a URL; use [headers].
         */
        public fun url(): String = run(proxyUrl(toFfi())) { it }

        /**
         * The URL with this username and password; see the other [url].
         *
         * @param username the username of the account or of a sub-account.
         * @param password the password for the username.
         */
        public fun url(username: String, password: String): String = run(proxyUrlWith(toFfi(), username, password)) { it }

        /**
         * The headers to send to the proxy: on the `CONNECT` request for an https target, and on the request itself for an http target.
         * `Proxy-Authorization` contains the credentials, as Basic in UTF-8 or as Bearer. Keep it out of logs. Without credentials and an
         * exit choice, there are no headers.
         *
         * For OkHttp and Apache HttpClient, use the modules `proxymesh-okhttp` and `proxymesh-apache`, which send them to the proxy alone:
         * `builder.proxyMesh(proxy)`.
         *
         * Pass the headers to a library only if it sends them to the proxy alone. Do not pass them to these:
         *
         * - Ktor's CIO engine sends all of them to the site, including the password, and the proxy picks any exit IP.
         * - `java.net.http` sends the exit choice to an https site. Ktor's Java engine and jsoup (since 1.21), which use it, do
         *   the same. With a token and no exit choice, it is safe.
         * - `HttpURLConnection` sends none of them with the `CONNECT`. An https site gets every header that is set, including the
         *   password. Older versions of jsoup, which use it, do the same.
         */
        public fun headers(): Map<String, String> = run(proxyHeaders(toFfi())) { it.toSortedMap() }

        /**
         * Checks the proxy: asks it to open a tunnel to [target], and closes the tunnel. A refusal, an unreachable proxy and a time-out
         * are results, not exceptions.
         *
         * @param target the `host:port` to connect to. It sees a connection, but receives no data.
         * @param timeout the time limit for the check.
         * @throws ValidationException the target is not `host:port`.
         * @throws ConfigException the timeout is not greater than zero.
         */
        public suspend fun check(target: String = TARGET, timeout: Duration = TIME_LIMIT): ProxyCheck =
            Unbound.suspending.make(proxyCheck(toFfi(), target, timeout.inSeconds())) { it.fromFfi() }

        /** The same as [check], but it blocks its thread. An interrupt ends it, as it ends the calls of [BlockingClient]. */
        @JvmOverloads
        public fun checkBlocking(target: String = TARGET, timeout: Duration = TIME_LIMIT): ProxyCheck =
            Unbound.blocking.make(proxyCheck(toFfi(), target, timeout.inSeconds())) { it.fromFfi() }

        /** The same as [check], but it returns a future, as the calls of [AsyncClient] do. */
        @JvmOverloads
        public fun checkAsync(target: String = TARGET, timeout: Duration = TIME_LIMIT): CompletableFuture<ProxyCheck> =
            Unbound.async.make(proxyCheck(toFfi(), target, timeout.inSeconds())) { it.fromFfi() }

        /** Whether both have the same host, port, credentials and exit choice. */
        override fun equals(other: Any?): Boolean =
            other is ProxyServer && host == other.host && port == other.port && credentials == other.credentials &&
                exitChoice == other.exitChoice

        /** A hash of the host, the port and the exit choice. */
        override fun hashCode(): Int = 31 * (31 * host.hashCode() + port) + exitChoice.hashCode()

        /** The proxy as `domain:port`, without credentials. */
        override fun toString(): String = "$host:$port"

        private companion object {
            const val TARGET = "proxymesh.com:443"
            val TIME_LIMIT: Duration = Duration.ofSeconds(10)
        }
    }

/** A username and password, or a token without a username. */
internal class Credentials(val username: String?, val secret: String) {
    override fun equals(other: Any?) = other is Credentials && username == other.username && secret == other.secret

    override fun hashCode() = username.hashCode()
}

/** A host and port that the core has checked, with what it derives from them. */
internal class CheckedProxy(
    val host: String,
    val port: Int,
    val addressHost: String,
    val name: String,
    val plainUrl: String,
    val country: String?,
    val choosesCountry: Boolean,
    val credentials: Credentials?,
    val exit: ExitChoice,
) {
    companion object {
        fun of(host: String, port: Int?): CheckedProxy = run(proxyOf(host, port)) { it.checked() }
    }
}
