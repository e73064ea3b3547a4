package com.proxymesh.support

import com.proxymesh.AbstractProxyPool
import com.proxymesh.AsyncIpFollower
import com.proxymesh.AsyncIpLease
import com.proxymesh.AsyncProxyPool
import com.proxymesh.BlockingIpFollower
import com.proxymesh.BlockingIpLease
import com.proxymesh.BlockingProxyPool
import com.proxymesh.ExitChoice
import com.proxymesh.IpFollower
import com.proxymesh.PoolOptions
import com.proxymesh.PoolOrder
import com.proxymesh.ProxyServer
import com.proxymesh.ProxyPool
import java.time.Duration
import kotlin.time.toKotlinDuration
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.future.await
import kotlinx.coroutines.selects.select

/** What clients have created, by name, for the agent. */
class Objects(private val kind: Kind) {
    private val objects = mutableMapOf<String, Any>()

    fun clear() = objects.clear()

    /** Whether this call creates an object, is one of an object's, or needs no client. */
    fun has(call: String): Boolean =
        call in setOf("proxies.pool", "ips.authorized", "ips.follow") || call.substringBefore('.') in setOf("pool", "lease", "follower", "proxy")

    suspend fun call(account: Account, name: String, arguments: Arguments): Any? = with(arguments) {
        when (call) {
            "proxies.pool" -> {
                objects[name] = pool(account, options())
                null
            }
            "ips.authorized" -> authorized(account, name, maybeText("ip"), maybeText("label"), maybeText("lookup"), maybeText("username"))
            "ips.follow" -> follow(account, name, maybeText("label"), maybeText("lookup"), maybeText("username"), maybeSeconds("interval"))
            "lease.release", "follower.close" -> end(objects.remove(name))
            "pool.get" -> shown(next(objects.getValue(name), maybeTexts("countries")?.toTypedArray()))
            "pool.session" -> shown(poolSession(objects.getValue(name), maybeTexts("countries")?.toTypedArray(), target(), limit()))
            "pool.report" -> report(objects.getValue(name) as AbstractProxyPool)
            "pool.stats" -> (objects.getValue(name) as AbstractProxyPool).stats().map {
                mapOf(
                    "proxy" to "${it.proxy}", "handed_out" to it.handedOut, "successes" to it.successes, "failures" to it.failures,
                    "bytes" to it.bytes, "latency" to it.latency, "cooling" to it.cooling,
                )
            }
            "proxy.of" -> described().let {
                shown(it) + mapOf(
                    "name" to it.name, "country" to it.country, "chooses_country" to it.choosesCountry, "plain_url" to it.plainUrl,
                )
            }
            "proxy.url" -> described().url()
            "proxy.rotating" -> shown(described().rotating())
            "proxy.session" -> shown(session(described(), target(), limit()))
            "proxy.check" -> check(described(), target(), limit())
            else -> error("there is no call $call")
        }.also { checkAllAsked() }
    }

    private fun Arguments.target() = maybeText("target") ?: "proxymesh.com:443"

    private fun Arguments.limit() = maybeSeconds("timeout") ?: Duration.ofSeconds(10)

    private fun Arguments.options() = PoolOptions(
        countries = maybeTexts("countries"),
        exclude = maybeTexts("exclude").orEmpty(),
        order = when (val order = maybeText("order")) {
            null, "round_robin" -> PoolOrder.ROUND_ROBIN
            "random" -> PoolOrder.RANDOM
            "fastest" -> PoolOrder.FASTEST
            else -> error("there is no order $order")
        },
        ttl = maybeSeconds("ttl")?.toKotlinDuration(),
        cooldown = maybeSeconds("cooldown")?.toKotlinDuration(),
        hasCredentials = maybeBoolean("credentials") ?: true,
        isRotating = maybeBoolean("rotating") ?: false,
    )

    private fun pool(account: Account, options: PoolOptions): Any = when (account) {
        is Suspending -> account.client.proxies.pool(options)
        is Blocking -> account.client.proxies.pool(options)
        is Future -> account.client.proxies.pool(options)
        else -> error("$account")
    }

    private suspend fun next(pool: Any, countries: Array<String>?): ProxyServer = when (pool) {
        is ProxyPool -> if (countries == null) pool.get() else pool.getIn(*countries)
        is BlockingProxyPool -> if (countries == null) pool.get() else pool.getIn(*countries)
        is AsyncProxyPool -> (if (countries == null) pool.get() else pool.getIn(*countries)).await()
        else -> error("$pool")
    }

    private suspend fun poolSession(pool: Any, countries: Array<String>?, target: String, limit: Duration): ProxyServer = when (pool) {
        is ProxyPool -> limit.toKotlinDuration().let {
            if (countries == null) pool.session(target, it) else pool.sessionIn(*countries, target = target, timeout = it)
        }
        is BlockingProxyPool ->
            if (countries == null) pool.session(target, limit) else pool.sessionIn(*countries, target = target, timeout = limit)
        is AsyncProxyPool ->
            (if (countries == null) pool.session(target, limit) else pool.sessionIn(*countries, target = target, timeout = limit)).await()
        else -> error("$pool")
    }

    private suspend fun session(proxy: ProxyServer, target: String, timeout: Duration): ProxyServer = when (kind) {
        Kind.SUSPENDING -> proxy.session(target, timeout.toKotlinDuration())
        Kind.BLOCKING -> proxy.sessionBlocking(target, timeout)
        Kind.FUTURE -> proxy.sessionAsync(target, timeout).await()
    }

    private fun Arguments.report(pool: AbstractProxyPool): Duration? {
        val proxy = ProxyServer(text("proxy"))
        val status = maybeWhole("status")
        val (latency, bytes) = maybeSeconds("latency") to (maybeWhole("bytes") ?: 0)
        return if (status == null) {
            pool.report(proxy, checkNotNull(maybeBoolean("succeeded")), latency, bytes)
        } else {
            pool.report(proxy, status.toInt(), latency, bytes)
        }
    }

    private suspend fun authorized(account: Account, name: String, ip: String?, label: String?, lookup: String?, username: String?): String =
        when (account) {
            is Blocking -> account.client.ips.authorized(ip, label, lookup, username).also { objects[name] = it }.ip
            is Future -> account.client.ips.authorized(ip, label, lookup, username).await().also { objects[name] = it }.ip
            is Suspending -> {
                val held = Held()
                objects[name] = held
                held.enter { entered -> account.client.ips.withAuthorizedIp(ip, label, lookup, username) { entered(it) } }
            }
            else -> error("$account")
        }

    private suspend fun follow(
        account: Account, name: String, label: String?, lookup: String?, username: String?, interval: Duration?,
    ): String = when (account) {
        is Suspending -> account.client.ips.follow(label, lookup, username, interval?.toKotlinDuration()).also { objects[name] = it }.ip
        is Blocking -> account.client.ips.follow(label, lookup, username, interval).also { objects[name] = it }.ip
        is Future -> account.client.ips.follow(label, lookup, username, interval).await().also { objects[name] = it }.ip
        else -> error("$account")
    }

    private suspend fun end(held: Any?): Any? {
        when (held) {
            is Held -> held.leave()
            is BlockingIpLease -> held.close()
            is AsyncIpLease -> held.release().await()
            is IpFollower -> held.close()
            is BlockingIpFollower -> held.close()
            is AsyncIpFollower -> held.close().await()
            else -> error("$held")
        }
        return null
    }

    private suspend fun check(proxy: ProxyServer, target: String, timeout: Duration): Map<String, Any?> {
        val check = when (kind) {
            Kind.SUSPENDING -> proxy.check(target, timeout.toKotlinDuration())
            Kind.BLOCKING -> proxy.checkBlocking(target, timeout)
            Kind.FUTURE -> proxy.checkAsync(target, timeout).await()
        }
        return mapOf(
            "ok" to check.isOk, "reachable" to check.isReachable, "status" to check.status, "exit_ip" to check.exitIp,
            "preferred_ip_is_gone" to check.isPreferredIpGone, "error" to check.error, "meaning" to check.meaning,
        )
    }

    private fun Arguments.described(): ProxyServer {
        val port = maybeWhole("port")
        var proxy = text("proxy").let { if (port == null) ProxyServer(it) else ProxyServer(it, port.toInt()) }
        val (username, token) = maybeText("username") to maybeText("token")
        if (username != null) proxy = proxy.using(username, text("password"))
        if (token != null) proxy = proxy.usingToken(token)
        if (maybeBoolean("rotating") == true) proxy = proxy.rotating()
        val (country, preferIp, notIps) = Triple(maybeText("country"), maybeText("prefer_ip"), maybeTexts("not_ip"))
        val holdIp = maybeText("hold_ip")
        val chooses = listOf(country, preferIp, notIps, holdIp).any { it != null }
        return if (chooses) proxy.steer(ExitChoice(country, preferIp, notIps.orEmpty(), holdIp)) else proxy
    }

    /** A proxy with everything that is sent to it. */
    private fun shown(proxy: ProxyServer) = buildMap<String, Any?> {
        put("proxy", "$proxy")
        put("headers", proxy.headers())
        if (proxy.isRotating) put("rotating", true)
        proxy.exitChoice.holdIp?.let { put("held_ip", it) }
    }

    /** A block that has begun and waits until it may end. */
    private class Held {
        private val scope = CoroutineScope(Dispatchers.Default)
        private val entered = CompletableDeferred<String>()
        private val mayLeave = CompletableDeferred<Unit>()
        private var block = CompletableDeferred<Unit>() as kotlinx.coroutines.Deferred<Unit>

        suspend fun enter(run: suspend (suspend (String) -> Unit) -> Unit): String {
            block = scope.async {
                run {
                    entered.complete(it)
                    mayLeave.await()
                }
            }
            return select {
                entered.onAwait { it }
                block.onAwait { error("the block has ended") }
            }
        }

        suspend fun leave() {
            mayLeave.complete(Unit)
            block.await()
        }
    }
}
