package com.proxymesh

import com.proxymesh.internal.Report
import com.proxymesh.internal.pool
import com.proxymesh.internal.poolAtOnce
import com.proxymesh.internal.poolIsListed
import com.proxymesh.internal.poolNext
import com.proxymesh.internal.poolReport
import com.proxymesh.internal.poolSession
import com.proxymesh.internal.poolStats
import java.time.Duration
import kotlin.time.toJavaDuration
import java.util.concurrent.CompletableFuture
import com.proxymesh.internal.PoolOptions as FfiPoolOptions
import kotlin.time.Duration as KotlinDuration

/** What the pools of all clients have in common. */
public sealed class AbstractProxyPool(private val pool: Local) {
    /**
     * Reports the status of a response through a proxy. 402, 403, 407, 429, and 500 and above are failures: such a status usually comes
     * from the proxy, or from a site that blocks it. A number below 100 is not a status, so it counts as a failure. After a failure, the
     * proxy is left out for the cooldown. Each failure after that doubles the cooldown, up to 16 times the first. Failures that are
     * reported during a cooldown do not extend it. A success resets the cooldown to its first length, but does not end one that has begun.
     * A proxy that the pool does not know is ignored.
     *
     * @param proxy the proxy that was handed out. Its credentials and its exit choice do not matter.
     * @param status the status of the response.
     * @param latency the time until the response arrived. It counts for [PoolOrder.FASTEST].
     * @param bytes how many bytes were transferred. The pool only adds them up.
     * @return how long the proxy is now left out; null if it is not, or if it already was.
     * @throws ValidationException the latency is negative.
     */
    @JvmOverloads
    public fun report(proxy: ProxyServer, status: Int, latency: Duration? = null, bytes: Long = 0): Duration? =
        send(proxy, status, false, latency, bytes)

    /**
     * Reports whether a request through a proxy succeeded; see the other [report].
     *
     * @param proxy the proxy that was handed out. Its credentials and its exit choice do not matter.
     * @param succeeded whether the request succeeded.
     * @param latency the time until the response arrived. It counts for [PoolOrder.FASTEST].
     * @param bytes how many bytes were transferred. The pool only adds them up.
     * @return how long the proxy is now left out; null if it is not, or if it already was.
     * @throws ValidationException the latency is negative.
     */
    @JvmOverloads
    public fun report(proxy: ProxyServer, succeeded: Boolean, latency: Duration? = null, bytes: Long = 0): Duration? =
        send(proxy, null, succeeded, latency, bytes)

    /** The same with a `kotlin.time.Duration`; see the other [report]. */
    public fun report(proxy: ProxyServer, status: Int, latency: KotlinDuration, bytes: Long = 0): Duration? =
        report(proxy, status, latency.toJavaDuration(), bytes)

    /** The same with a `kotlin.time.Duration`; see the other [report]. */
    public fun report(proxy: ProxyServer, succeeded: Boolean, latency: KotlinDuration, bytes: Long = 0): Duration? =
        report(proxy, succeeded, latency.toJavaDuration(), bytes)

    /** Reports that a request through a proxy got no response: it is a failure, whatever the error is. See the other [report]. */
    public fun report(proxy: ProxyServer, @Suppress("UNUSED_PARAMETER") error: Throwable): Duration? = report(proxy, false)

    /** Reports a check of a proxy, with its latency. See the other [report]. */
    public fun report(proxy: ProxyServer, check: ProxyCheck): Duration? =
        report(proxy, check.isOk, if (check.isOk) check.latency else null)

    /** The proxies that the pool hands out, from the last list, and what the pool knows about each. Empty until the list has been fetched. */
    public fun stats(): List<ProxyStats> = pool.now(poolStats()) { stats -> stats.map { it.fromFfi() } }

    /** The proxies that are cooling down, with the remaining time. */
    public fun cooling(): Map<ProxyServer, Duration> =
        stats().mapNotNull { stats -> stats.cooling?.let { stats.proxy to it } }.toMap()

    /** Whether the list of proxies has been fetched. */
    public val isListed: Boolean get() = pool.now(poolIsListed())

    /** How many proxies the pool hands out, and how many of them are cooling down. */
    override fun toString(): String = stats().let { stats ->
        "${javaClass.simpleName}(proxies=${stats.size}, cooling=${stats.count { it.cooling != null }})"
    }

    internal fun atOnce(countries: List<String>?): ProxyServer? = pool.now(poolAtOnce(countries)) { it?.fromFfi() }

    private fun send(proxy: ProxyServer, status: Int?, succeeded: Boolean, latency: Duration?, bytes: Long): Duration? =
        pool.now(poolReport(proxy.toFfi(), Report(status, succeeded, latency?.inSeconds(), bytes))) { it?.let(::duration) }
}

/**
 * Hands out the account's proxies in turn, and leaves out failing ones for a while. `client.proxies.pool()` of a [Client] creates it.
 *
 * ```kotlin
 * val pool = client.proxies.pool()
 * val proxy = pool.get()
 * pool.report(proxy, proxy.check())
 * ```
 *
 * Any number of coroutines may share one. If the client is closed, the pool hands out the proxies that it knows until the list is older
 * than [PoolOptions.ttl]. After that, `get` throws a [ConfigException].
 */
public class ProxyPool internal constructor(private val pool: Calls) : AbstractProxyPool(pool) {
    /**
     * Returns the next proxy. The pool fetches the list of proxies first if there is none, or if it is older than [PoolOptions.ttl]. One
     * caller at a time fetches it, and the others go on with the old one.
     *
     * @throws PoolExhaustedException all proxies are cooling down, or the account has no authorised proxy.
     * @throws ValidationException no proxy has exit IPs in the pool's countries, or all are excluded.
     * @throws ConfigException the list must be fetched, and the client is closed.
     * @throws ProxyMeshException the list could not be fetched, and there is no older one.
     */
    public suspend fun get(): ProxyServer = next(null)

    /**
     * Returns the next proxy with exit IPs in one of these countries, which override the pool's. Otherwise, this is the same as [get].
     *
     * @param countries two-letter codes.
     * @throws ValidationException a country is not a two-letter code, or none is given.
     * @throws ProxyMeshException the exceptions of [get].
     */
    public suspend fun getIn(vararg countries: String): ProxyServer = next(countries.asList())

    /**
     * Returns the next proxy, which then holds one exit IP; see [ProxyServer.session]. If a proxy does not work, the pool tries the next
     * one, unless the refusal is about the account (402, 407, 429, 509). It leaves out a proxy that does not respond, or that reports an
     * error of its own, for the cooldown.
     *
     * @param target the `host:port` to connect to. It sees a connection, but receives no data.
     * @param timeout the time limit for each proxy.
     * @throws ProxyMeshException the exceptions of [get] and of [ProxyServer.session]. If no proxy works, it is that of the last one.
     */
    public suspend fun session(target: String = TARGET, timeout: KotlinDuration = TIME_LIMIT): ProxyServer =
        hold(null, target, timeout)

    /**
     * Returns the next proxy with exit IPs in one of these countries, which override the pool's. It then holds one exit IP. Otherwise, this
     * is the same as [session].
     *
     * @param countries two-letter codes.
     * @param target as for [session].
     * @param timeout as for [session].
     * @throws ValidationException a country is not a two-letter code, or none is given.
     * @throws ProxyMeshException the exceptions of [session].
     */
    public suspend fun sessionIn(
        vararg countries: String, target: String = TARGET, timeout: KotlinDuration = TIME_LIMIT,
    ): ProxyServer = hold(countries.asList(), target, timeout)

    private suspend fun hold(countries: List<String>?, target: String, timeout: KotlinDuration): ProxyServer =
        pool.make(poolSession(countries, target, timeout.toJavaDuration().inSeconds())) { it.fromFfi() }

    private suspend fun next(countries: List<String>?): ProxyServer =
        atOnce(countries) ?: pool.make(poolNext(countries)) { it.fromFfi() }
}

/**
 * A [ProxyPool] whose calls block until they are done. `client.proxies.pool()` of a [BlockingClient] creates it. Any number of threads may
 * share one. In Java:
 *
 * ```java
 * var pool = client.getProxies().pool(new PoolOptions().withCountries("DE"));
 * var proxy = pool.get();
 * pool.report(proxy, 200);
 * ```
 *
 * If the client is closed, the pool hands out the proxies that it knows until the list is older than [PoolOptions.ttl]. After that, `get`
 * throws a [ConfigException].
 */
public class BlockingProxyPool internal constructor(private val pool: BlockingCalls) : AbstractProxyPool(pool) {
    /**
     * Returns the next proxy. The pool fetches the list of proxies first if there is none, or if it is older than [PoolOptions.ttl]. One
     * caller at a time fetches it, and the others go on with the old one.
     *
     * @throws PoolExhaustedException all proxies are cooling down, or the account has no authorised proxy.
     * @throws ValidationException no proxy has exit IPs in the pool's countries, or all are excluded.
     * @throws ConfigException the list must be fetched, and the client is closed.
     * @throws ProxyMeshException the list could not be fetched, and there is no older one.
     */
    public fun get(): ProxyServer = next(null)

    /**
     * Returns the next proxy with exit IPs in one of these countries, which override the pool's. Otherwise, this is the same as [get].
     *
     * @param countries two-letter codes.
     * @throws ValidationException a country is not a two-letter code, or none is given.
     * @throws ProxyMeshException the exceptions of [get].
     */
    public fun getIn(vararg countries: String): ProxyServer = next(countries.asList())

    /**
     * Returns the next proxy, which then holds one exit IP; see [ProxyServer.sessionBlocking]. If a proxy does not work, the pool tries the
     * next one, unless the refusal is about the account (402, 407, 429, 509). It leaves out a proxy that does not respond, or that reports
     * an error of its own, for the cooldown.
     *
     * @param target the `host:port` to connect to. It sees a connection, but receives no data.
     * @param timeout the time limit for each proxy.
     * @throws ProxyMeshException the exceptions of [get] and of [ProxyServer.sessionBlocking]. If no proxy works, it is that of the last
     *   one.
     */
    @JvmOverloads
    public fun session(target: String = TARGET, timeout: Duration = TIME_LIMIT.toJavaDuration()): ProxyServer = hold(null, target, timeout)

    /** The same with a `kotlin.time.Duration`; see the other [session]. */
    public fun session(target: String = TARGET, timeout: KotlinDuration): ProxyServer = session(target, timeout.toJavaDuration())

    /**
     * Returns the next proxy with exit IPs in one of these countries, which override the pool's. It then holds one exit IP. Otherwise, this
     * is the same as [session].
     *
     * @param countries two-letter codes. In Java, they are an array if a target is given.
     * @param target as for [session].
     * @param timeout as for [session].
     * @throws ValidationException a country is not a two-letter code, or none is given.
     * @throws ProxyMeshException the exceptions of [session].
     */
    @JvmOverloads
    public fun sessionIn(
        vararg countries: String, target: String = TARGET, timeout: Duration = TIME_LIMIT.toJavaDuration(),
    ): ProxyServer = hold(countries.asList(), target, timeout)

    /** The same with a `kotlin.time.Duration`; see the other [sessionIn]. */
    public fun sessionIn(vararg countries: String, target: String = TARGET, timeout: KotlinDuration): ProxyServer =
        hold(countries.asList(), target, timeout.toJavaDuration())

    private fun hold(countries: List<String>?, target: String, timeout: Duration): ProxyServer =
        pool.make(poolSession(countries, target, timeout.inSeconds())) { it.fromFfi() }

    private fun next(countries: List<String>?): ProxyServer = atOnce(countries) ?: pool.make(poolNext(countries)) { it.fromFfi() }
}

/**
 * A [ProxyPool] whose calls return futures. `client.getProxies().pool()` of an [AsyncClient] creates it. Any number of threads may share
 * one.
 *
 * If the client is closed, the pool hands out the proxies that it knows until the list is older than [PoolOptions.ttl]. After that, the
 * futures of `get` fail with a [ConfigException].
 */
public class AsyncProxyPool internal constructor(private val pool: AsyncCalls) : AbstractProxyPool(pool) {
    /**
     * Returns the next proxy. The pool fetches the list of proxies first if there is none, or if it is older than [PoolOptions.ttl]. One
     * caller at a time fetches it, and the others go on with the old one. The future fails with the exceptions of [BlockingProxyPool.get].
     */
    public fun get(): CompletableFuture<ProxyServer> = next(null)

    /**
     * Returns the next proxy with exit IPs in one of these countries, which override the pool's. Otherwise, this is the same as [get].
     *
     * @param countries two-letter codes.
     */
    public fun getIn(vararg countries: String): CompletableFuture<ProxyServer> = next(countries.asList())

    /**
     * Returns the next proxy, which then holds one exit IP; see [ProxyServer.sessionAsync]. If a proxy does not work, the pool tries the
     * next one, unless the refusal is about the account (402, 407, 429, 509). It leaves out a proxy that does not respond, or that reports
     * an error of its own, for the cooldown.
     *
     * @param target the `host:port` to connect to. It sees a connection, but receives no data.
     * @param timeout the time limit for each proxy.
     */
    @JvmOverloads
    public fun session(target: String = TARGET, timeout: Duration = TIME_LIMIT.toJavaDuration()): CompletableFuture<ProxyServer> =
        hold(null, target, timeout)

    /**
     * Returns the next proxy with exit IPs in one of these countries, which override the pool's. It then holds one exit IP. Otherwise, this
     * is the same as [session].
     *
     * @param countries two-letter codes. In Java, they are an array if a target is given.
     * @param target as for [session].
     * @param timeout as for [session].
     */
    @JvmOverloads
    public fun sessionIn(
        vararg countries: String, target: String = TARGET, timeout: Duration = TIME_LIMIT.toJavaDuration(),
    ): CompletableFuture<ProxyServer> = hold(countries.asList(), target, timeout)

    private fun hold(countries: List<String>?, target: String, timeout: Duration): CompletableFuture<ProxyServer> =
        pool.make(poolSession(countries, target, timeout.inSeconds())) { it.fromFfi() }

    private fun next(countries: List<String>?): CompletableFuture<ProxyServer> =
        try {
            atOnce(countries)?.let { CompletableFuture.completedFuture(it) } ?: pool.make(poolNext(countries)) { it.fromFfi() }
        } catch (error: ProxyMeshException) {
            failed(error)
        }
}

/**
 * What a pool knows about one of its proxies.
 *
 * @property proxy the proxy, as the pool hands it out. If the pool has several countries, the country changes with every turn, so this
 *   value has none.
 * @property handedOut how often the pool has handed it out.
 * @property successes how many successes were reported.
 * @property failures how many failures were reported.
 * @property bytes how many bytes were reported.
 * @property latency the average of the reported latencies; null if there are none. Newer ones count more.
 * @property cooling how long it will still be left out; null if it is not left out.
 */
public class ProxyStats internal constructor(
    public val proxy: ProxyServer,
    public val handedOut: Long,
    public val successes: Long,
    public val failures: Long,
    public val bytes: Long,
    public val latency: Duration?,
    public val cooling: Duration?,
) {
    /** All properties. */
    override fun toString(): String = "ProxyStats(proxy=$proxy, handedOut=$handedOut, successes=$successes, failures=$failures, " +
        "bytes=$bytes, latency=$latency, cooling=$cooling)"
}

/** What `client.proxies` has besides its calls. */
public sealed class ProxiesExtension(private val calls: Calls) {
    /**
     * Creates a pool that hands out these proxies in turn and leaves out failing ones for a while. It sends nothing until the first proxy
     * is requested.
     *
     * @throws ValidationException an option is invalid. Its field is `country`, `proxy`, `ttl` or `cooldown`.
     */
    public fun pool(options: PoolOptions = PoolOptions()): ProxyPool = ProxyPool(calls.create(pool(options.toFfi())))
}

/** What `client.proxies` has besides its calls. */
public sealed class BlockingProxiesExtension(private val calls: BlockingCalls) {
    /**
     * Creates a pool that hands out these proxies in turn and leaves out failing ones for a while. It sends nothing until the first proxy
     * is requested.
     *
     * @throws ValidationException an option is invalid. Its field is `country`, `proxy`, `ttl` or `cooldown`.
     */
    @JvmOverloads
    public fun pool(options: PoolOptions = PoolOptions()): BlockingProxyPool =
        BlockingProxyPool(calls.create(pool(options.toFfi())))
}

/** What `client.getProxies()` has besides its calls. */
public sealed class AsyncProxiesExtension(private val calls: AsyncCalls) {
    /**
     * Creates a pool that hands out these proxies in turn and leaves out failing ones for a while. It sends nothing until the first proxy
     * is requested.
     *
     * @throws ValidationException an option is invalid. Its field is `country`, `proxy`, `ttl` or `cooldown`.
     */
    @JvmOverloads
    public fun pool(options: PoolOptions = PoolOptions()): AsyncProxyPool = AsyncProxyPool(calls.create(pool(options.toFfi())))
}

private fun PoolOptions.toFfi() =
    FfiPoolOptions(
        countries, exclude, order.named, ttl?.toJavaDuration()?.inSeconds(), cooldown?.toJavaDuration()?.inSeconds(), hasCredentials,
        isRotating,
    )
