package com.proxymesh

import com.proxymesh.internal.proxyCheck
import com.proxymesh.internal.proxyHeaders
import com.proxymesh.internal.proxyLostExit
import com.proxymesh.internal.proxyOf
import com.proxymesh.internal.proxyRotating
import com.proxymesh.internal.proxySession
import com.proxymesh.internal.proxyUrl
import com.proxymesh.internal.proxyUrlWith
import java.net.InetSocketAddress
import java.time.Duration as JavaDuration
import java.util.concurrent.CompletableFuture
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

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
        @get:JvmName("choosesCountry")
        public val choosesCountry: Boolean get() = checked.choosesCountry

        /** Which exit IP to ask it for. */
        public val exitChoice: ExitChoice get() = checked.exit

        // Serializers call getters and read fields, so neither shows the credentials.
        @get:JvmSynthetic
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
         * `X-ProxyMesh-Prefer-IP` and `X-ProxyMesh-Not-IP`. If the choice holds an exit IP, the returned proxy does not rotate.
         *
         * ```kotlin
         * ProxyServer("open.proxymesh.com").steer(ExitChoice(country = "DE")).headers()   // {X-ProxyMesh-Country=DE}
         * ```
         *
         * @throws ValidationException this proxy has no exit IPs in the country, and cannot choose one.
         */
        public fun steer(exit: ExitChoice): ProxyServer = with(credentials, exit)

        /**
         * Returns the same proxy, with a new tunnel for each https request. Each request may then have another exit IP.
         *
         * Without this, an HTTP client keeps a tunnel open for later requests to the same site, and a tunnel keeps its exit IP. The
         * modules `proxymesh-okhttp` and `proxymesh-apache` do this; [url] and [headers] do not change. A request for an http page has no
         * tunnel, so the proxy chooses the exit IP for each such request.
         *
         * If this proxy holds an exit IP, the returned one does not.
         */
        public fun rotating(): ProxyServer = run(proxyRotating(toFfi())) { it.fromFfi() }

        /** Whether each https request opens a new tunnel; see [rotating]. */
        public val isRotating: Boolean get() = checked.isRotating

        /**
         * Returns the same proxy, which then holds one exit IP: requests to any site, over any number of connections, come from this
         * address. A login at a site often needs that.
         *
         * This makes one [check] to find an exit IP that fits the exit choice, and then asks for this one
         * ([ExitChoice.holdIp]). If the proxy loses the address, a request with the module `proxymesh-apache`, or for an http page with
         * `proxymesh-okhttp`, fails with an [ExitLostException]. Other requests go on with another exit IP. [check] then has
         * [ProxyCheck.isPreferredIpGone]. Call this again to hold another address.
         *
         * ```kotlin
         * val session = proxy.session()
         * println("every request comes from ${session.exitChoice.holdIp}")
         * ```
         *
         * @param target the `host:port` to connect to. It sees a connection, but receives no data.
         * @param timeout the time limit.
         * @throws ValidationException the target is not `host:port`.
         * @throws ConfigException the timeout is not greater than zero.
         * @throws ProxyMeshException the proxy did not respond, refused, or did not say which exit IP it used. A 407 is an
         *   [AuthenticationException].
         */
        public suspend fun session(target: String = TARGET, timeout: Duration = TIME_LIMIT): ProxyServer =
            Unbound.suspending.make(proxySession(toFfi(), target, timeout.toJavaDuration().inSeconds())) { it.fromFfi() }

        /** The same as [session], but it blocks its thread. An interrupt ends it, as it ends the calls of [BlockingClient]. */
        @JvmOverloads
        public fun sessionBlocking(target: String = TARGET, timeout: JavaDuration = TIME_LIMIT.toJavaDuration()): ProxyServer =
            Unbound.blocking.make(proxySession(toFfi(), target, timeout.inSeconds())) { it.fromFfi() }

        /** The same with a `kotlin.time.Duration`; see the other [sessionBlocking]. */
        public fun sessionBlocking(target: String = TARGET, timeout: Duration): ProxyServer = sessionBlocking(target, timeout.toJavaDuration())

        /** The same as [session], but it returns a future, as the calls of [AsyncClient] do. */
        @JvmOverloads
        public fun sessionAsync(target: String = TARGET, timeout: JavaDuration = TIME_LIMIT.toJavaDuration()): CompletableFuture<ProxyServer> =
            Unbound.async.make(proxySession(toFfi(), target, timeout.inSeconds())) { it.fromFfi() }

        /**
         * Fails if this proxy holds an exit IP and no longer has it. The modules for HTTP libraries call this.
         *
         * @param usedIp the value of `X-ProxyMesh-IP` in the proxy's response; null if there is none.
         * @param missingIp the value of `X-ProxyMesh-IP-Not-Found` in the same response; null if there is none.
         * @throws ExitLostException the proxy has used another exit IP, or says that it does not have the one it holds.
         */
        @Throws(ExitLostException::class)
        public fun requireHeldExit(usedIp: String?, missingIp: String?) {
            if (exitChoice.holdIp == null || (usedIp == null && missingIp == null)) return
            run(proxyLostExit(toFfi(), usedIp, missingIp)) { it }?.let { throw ExitLostException(it) }
        }

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
            Unbound.suspending.make(proxyCheck(toFfi(), target, timeout.toJavaDuration().inSeconds())) { it.fromFfi() }

        /** The same as [check], but it blocks its thread. An interrupt ends it, as it ends the calls of [BlockingClient]. */
        @JvmOverloads
        public fun checkBlocking(target: String = TARGET, timeout: JavaDuration = TIME_LIMIT.toJavaDuration()): ProxyCheck =
            Unbound.blocking.make(proxyCheck(toFfi(), target, timeout.inSeconds())) { it.fromFfi() }

        /** The same with a `kotlin.time.Duration`; see the other [checkBlocking]. */
        public fun checkBlocking(target: String = TARGET, timeout: Duration): ProxyCheck = checkBlocking(target, timeout.toJavaDuration())

        /** The same as [check], but it returns a future, as the calls of [AsyncClient] do. */
        @JvmOverloads
        public fun checkAsync(target: String = TARGET, timeout: JavaDuration = TIME_LIMIT.toJavaDuration()): CompletableFuture<ProxyCheck> =
            Unbound.async.make(proxyCheck(toFfi(), target, timeout.inSeconds())) { it.fromFfi() }

        /** Whether both have the same host, port, credentials and exit choice, and both rotate or neither does. */
        override fun equals(other: Any?): Boolean =
            other is ProxyServer && host == other.host && port == other.port && credentials == other.credentials &&
                exitChoice == other.exitChoice && isRotating == other.isRotating

        /** A hash of the host, the port and the exit choice. */
        override fun hashCode(): Int = 31 * (31 * host.hashCode() + port) + exitChoice.hashCode()

        /** The proxy as `domain:port`, without credentials. */
        override fun toString(): String = "$host:$port"

    }

/** What a check connects to, unless the caller says otherwise. */
internal const val TARGET = "proxymesh.com:443"

/** The time limit of a check, unless the caller says otherwise. */
internal val TIME_LIMIT: Duration = 10.seconds

/** A username and password, or a token without a username. */
internal class Credentials(val username: String?, @Transient @get:JvmSynthetic val secret: String) {
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
    val isRotating: Boolean,
) {
    companion object {
        fun of(host: String, port: Int?): CheckedProxy = run(proxyOf(host, port)) { it.checked() }
    }
}
