package com.proxymesh

import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Sandbox
import com.proxymesh.support.USERNAME
import com.proxymesh.support.text
import java.time.Duration
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Pools of each client, and the check of a proxy, with the sandbox's proxies. */
class PoolTest {
    /** A pool of any client. */
    private class AnyPool(
        val pool: AbstractProxyPool,
        val session: () -> ProxyServer,
        private val next: (List<String>?) -> ProxyServer,
    ) {
        fun get(vararg countries: String): ProxyServer = next(countries.asList().ifEmpty { null })
    }

    private fun inEachLanguage(
        vararg flags: String,
        options: PoolOptions = PoolOptions(),
        test: (Sandbox, AnyPool) -> Unit,
    ) {
        Sandbox("--proxies", *flags).use { sandbox ->
            BlockingClient(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl).use { client ->
                listOf("open", "us-ca", "de").forEach(client.proxies::add)
                val pool = client.proxies.pool(options)
                test(sandbox, AnyPool(pool, pool::session) { if (it == null) pool.get() else pool.getIn(*it.toTypedArray()) })
            }
            Client(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl).use { client ->
                val pool = client.proxies.pool(options)
                test(sandbox, AnyPool(pool, { runBlocking { pool.session() } }) { runBlocking { if (it == null) pool.get() else pool.getIn(*it.toTypedArray()) } })
            }
            AsyncClient.builder().username(USERNAME).password(PASSWORD).baseUrl(sandbox.baseUrl).build().use { client ->
                val pool = client.proxies.pool(options)
                test(sandbox, AnyPool(pool, { pool.session().get() }) { (if (it == null) pool.get() else pool.getIn(*it.toTypedArray())).get() })
            }
        }
    }

    @Test
    fun `a pool hands out the proxies in turn, with the client's credentials, and leaves out failing ones`() =
        inEachLanguage { _, pool ->
            assertFalse(pool.pool.isListed)
            assertEquals(emptyList<ProxyStats>(), pool.pool.stats())
            val first = pool.get()
            val all = pool.pool.stats().map { it.proxy }
            assertTrue(pool.pool.isListed && all.size >= 3)
            assertEquals(all.drop(1) + first, all.map { pool.get() })
            assertTrue(all.all { it == ProxyServer(it.host, it.port).using(USERNAME, PASSWORD) })

            assertEquals(Duration.ofSeconds(60), pool.pool.report(first, 503))
            assertNull(pool.pool.report(first, false))
            assertEquals(setOf(first), pool.pool.cooling().keys)
            assertTrue(pool.pool.cooling().getValue(first) in Duration.ofSeconds(50)..Duration.ofSeconds(60))
            repeat(2 * all.size) { assertTrue(pool.get() != first) }

            assertNull(pool.pool.report(all[1], 200, 250.milliseconds, 1000))
            assertNull(pool.pool.report(all[1], true, latency = Duration.ofMillis(250), bytes = 500))
            val stats = pool.pool.stats()[1]
            assertEquals(listOf(2L, 0L, 1500L), listOf(stats.successes, stats.failures, stats.bytes))
            assertEquals(Duration.ofMillis(250), stats.latency)
            assertEquals(2, pool.pool.stats()[0].failures)
            assertEquals("proxies=${all.size}, cooling=1)", pool.pool.toString().substringAfter('('))
            assertThrows(ValidationException::class.java) { pool.pool.report(all[1], 200, Duration.ofMillis(-1)) }
            assertThrows(ValidationException::class.java) { pool.pool.report(all[1], true, (-1).milliseconds) }

            all.drop(1).forEach { pool.pool.report(it, java.io.IOException("reset")) }
            val exhausted = assertThrows(PoolExhaustedException::class.java) {
                try {
                    pool.get()
                } catch (error: java.util.concurrent.ExecutionException) {
                    throw error.cause!!
                }
            }
            assertTrue(exhausted.retryAfter in Duration.ofSeconds(50)..Duration.ofSeconds(60), exhausted.toString())
            assertFalse(PASSWORD in exhausted.stackTraceToString() + pool.pool + pool.pool.stats())
        }

    @Test
    fun `a pool hands out proxies in the wanted countries`() =
        inEachLanguage(options = PoolOptions().withExclude("de")) { _, pool ->
            val american = List(4) { pool.get("us") }.toSet()
            assertTrue(american.all { it.country == "US" || it.exitChoice.country == "US" }, american.toString())
            assertTrue(american.any { it.name == "us-ca" } && american.any { it.name == "open" }, american.toString())
            val both = List(12) { pool.get("US", "DE") }
            assertEquals(setOf("US", "DE"), both.mapNotNull { it.country ?: it.exitChoice.country }.toSet())
            assertTrue(both.none { it.name == "de" })
        }

    @Test
    fun `invalid options and countries are refused`() {
        BlockingClient(USERNAME, PASSWORD, baseUrl = "https://x").use { client ->
            fun refused(field: String, options: PoolOptions) =
                assertEquals(field, assertThrows(ValidationException::class.java) { client.proxies.pool(options) }.field)
            refused("country", PoolOptions(countries = listOf("DEU")))
            refused("country", PoolOptions(countries = emptyList()))
            refused("proxy", PoolOptions().withExclude("http://x"))
            refused("ttl", PoolOptions().withTtl(Duration.ZERO))
            refused("ttl", PoolOptions(ttl = 0.seconds))
            refused("cooldown", PoolOptions().withCooldown(Duration.ofSeconds(-1)))
            val pool = client.proxies.pool(PoolOptions().withCredentials(false).withOrder(PoolOrder.FASTEST).withCountries("DE"))
            assertEquals("country", assertThrows(ValidationException::class.java) { pool.getIn() }.field)
            assertEquals("country", assertThrows(ValidationException::class.java) { pool.getIn("D1") }.field)
        }
        val closed = BlockingClient(USERNAME, PASSWORD, baseUrl = "https://x").apply { close() }
        assertThrows(ConfigException::class.java) { closed.proxies.pool().get() }
    }

    /** How often each proxy was handed out, which must be even within 5 %. */
    private fun assertEven(handedOut: Map<String, AtomicInteger>, count: Int) {
        val counts = handedOut.values.map { it.get() }
        assertEquals(count, counts.sum())
        val even = count.toDouble() / counts.size
        assertTrue(counts.all { it in (even * 0.95).toInt()..(even * 1.05).toInt() + 1 }, handedOut.toString())
    }

    @Test
    fun `64 threads and 1,000 coroutines get the proxies evenly, and none that is cooling down`() =
        Sandbox("--proxies").use { sandbox ->
            BlockingClient(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl).use { client ->
                listOf("open", "us-ca", "de").forEach(client.proxies::add)
                val pool = client.proxies.pool()
                val bad = pool.get()
                pool.report(bad, 429)
                val handedOut = ConcurrentHashMap<String, AtomicInteger>()
                val threads = List(64) {
                    thread { repeat(100) { handedOut.computeIfAbsent(pool.get().name) { AtomicInteger() }.incrementAndGet() } }
                }
                threads.forEach(Thread::join)
                assertFalse(handedOut.containsKey(bad.name))
                assertEven(handedOut, 6400)
            }
            Client(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl).use { client ->
                val pool = client.proxies.pool()
                val handedOut = ConcurrentHashMap<String, AtomicInteger>()
                runBlocking {
                    val bad = pool.get()
                    pool.report(bad, 429)
                    withContext(Dispatchers.Default) {
                        repeat(1000) {
                            launch { repeat(6) { handedOut.computeIfAbsent(pool.get().name) { AtomicInteger() }.incrementAndGet() } }
                        }
                    }
                    assertFalse(handedOut.containsKey(bad.name))
                }
                assertEven(handedOut, 6000)
            }
            assertEquals(2, sandbox.requests().count { it.text("path") == "/api/proxies/" })
        }

    @Test
    fun `a check says whether a proxy can be used`() = inEachLanguage { _, pool ->
        val proxy = pool.get()
        val checks = listOf<(ProxyServer) -> ProxyCheck>(
            { runBlocking { it.check(timeout = 5.seconds) } },
            { it.checkBlocking() },
            { it.checkAsync("proxymesh.com:443", Duration.ofSeconds(5)).get() },
        )
        for (check in checks) {
            val good = check(proxy)
            assertTrue(good.isOk && good.isReachable && good.status == 200 && good.exitIp != null, good.toString())
            assertNull(pool.pool.report(proxy, good))
            val refused = check(proxy.using(USERNAME, "wrong"))
            assertEquals(listOf(false, true, 407), listOf(refused.isOk, refused.isReachable, refused.status))
            assertTrue(refused.meaning.startsWith("the proxy does not recognise you"), refused.meaning)
            val nobody = check(ProxyServer("localhost", 1))
            assertEquals(listOf(false, false, null), listOf(nobody.isOk, nobody.isReachable, nobody.status))
        }
        assertEquals(3, pool.pool.stats().first { it.proxy == proxy }.successes)
        assertThrows(ValidationException::class.java) { proxy.checkBlocking("nowhere") }
        assertThrows(ConfigException::class.java) { proxy.checkBlocking("x:1", Duration.ZERO) }
        assertThrows(ConfigException::class.java) { proxy.checkBlocking("x:1", 0.seconds) }
    }

    @Test
    fun `a proxy rotates or holds an exit IP`() = inEachLanguage(options = PoolOptions().withRotation(true)) { _, pool ->
        val rotating = pool.get()
        assertTrue(rotating.isRotating)
        assertTrue(rotating.steer(ExitChoice(preferIp = "192.0.2.7")).isRotating)
        assertTrue(rotating.using("me", "pw").isRotating && rotating.withoutCredentials().isRotating)
        val plain = ProxyServer(rotating.host, rotating.port).using(USERNAME, PASSWORD)
        assertTrue(plain != rotating && plain.rotating() == rotating && plain.rotating().hashCode() == rotating.hashCode())
        val sessions = listOf(
            runBlocking { rotating.session() }, rotating.sessionBlocking(), rotating.sessionAsync().get(), pool.session(),
        )
        for (session in sessions) {
            val held = checkNotNull(session.exitChoice.holdIp)
            assertFalse(session.isRotating)
            assertEquals(held, session.checkBlocking().exitIp)
            session.requireHeldExit(held, null)
            session.requireHeldExit(null, null)
            plain.requireHeldExit("192.0.2.8", "192.0.2.7")
            for ((used, missing) in listOf("192.0.2.8" to null, null to held)) {
                val lost = assertThrows(ExitLostException::class.java) { session.requireHeldExit(used, missing) }
                assertTrue("no longer has the exit IP $held" in lost.message.orEmpty(), lost.message)
            }
            assertTrue(session.rotating().let { it.isRotating && it.exitChoice.holdIp == null })
        }
        val refused = assertThrows(AuthenticationException::class.java) { plain.using(USERNAME, "wrong").sessionBlocking() }
        assertEquals(407, refused.status)
        assertThrows(ValidationException::class.java) { ExitChoice(preferIp = "192.0.2.7", holdIp = "192.0.2.8") }
    }
}
