package com.proxymesh

import com.proxymesh.internal.Failure
import com.proxymesh.internal.geoOpen
import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.USERNAME
import com.proxymesh.support.until
import java.io.File
import java.lang.ref.WeakReference
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Settings, closing, many calls at once, internal errors and leaks. */
class ClientTest {
    private val us = Reply.Answer(200, """{"US": 1}""")
    private val closed = "the client is closed; create a new one"

    @Test
    fun `settings out of range are rejected with the core's text`() {
        fun refused(text: String, make: () -> Any) = assertEquals(text, assertThrows(ConfigException::class.java) { make() }.reason)
        refused("timeout must be a number of seconds greater than 0, not 0") { Client("x", "y", timeout = 0.seconds) }
        refused("connect_timeout must be a number of seconds greater than 0, not 0") { BlockingClient("x", "y", connectTimeout = 0.seconds) }
        refused("a username is given, but no password") { Client("x") }
        for (make in listOf<() -> Any>(
            { Client("x", "y", timeout = (-1).seconds) },
            { Client("x", "y", maxRetries = -1) },
            { Client("x", "y", token = "pm_x") },
            { Client("x", "y", caFile = Path.of("/nonexistent.pem")) },
            { Client("x", "y", baseUrl = "ftp://x") },
            { Client() },
            { BlockingClient() },
            { Client("x", "y").withOptions(maxRetries = -1) },
            { BlockingClient("x", "y").withOptions(Duration.ofNanos(-1)) },
            { BlockingClient("x", "y").withOptions((-1).nanoseconds) },
        )) {
            assertThrows(ConfigException::class.java) { make() }
        }
    }

    @Test
    fun `the builder accepts every setting`() = Server(us).use { server ->
        val client = BlockingClient.builder().username(USERNAME).password(PASSWORD).baseUrl(server.baseUrl)
            .timeout(Duration.ofSeconds(5)).connectTimeout(Duration.ofSeconds(1)).maxRetries(0).trustEnv(true).build()
        client.use { assertEquals(mapOf("US" to 1L), it.geo.world()) }
        val noFile = BlockingClient.builder().token("pm_x").caFile(Path.of("/none.pem"))
        assertTrue("/none.pem" in assertThrows(ConfigException::class.java) { noFile.build() }.reason)
    }

    @Test
    fun `options apply only to the client that has them`() = Server(Reply.Answer(503)).use { server ->
        runBlocking {
            Client(USERNAME, PASSWORD, baseUrl = server.baseUrl, maxRetries = 1).use { client ->
                val quick = client.withOptions(maxRetries = 0)
                assertEquals(1, assertThrows(ServerException::class.java) { runBlocking { quick.geo.open() } }.attempts)
                assertEquals(2, assertThrows(ServerException::class.java) { runBlocking { client.geo.open() } }.attempts)
                assertEquals(server.baseUrl, quick.baseUrl)
            }
            BlockingClient(USERNAME, PASSWORD, baseUrl = server.baseUrl, maxRetries = 1).use { client ->
                val quick = client.withOptions(timeout = 1.seconds, maxRetries = 0)
                assertEquals(1, assertThrows(ServerException::class.java) { quick.geo.open() }.attempts)
                assertEquals(2, assertThrows(ServerException::class.java) { client.geo.open() }.attempts)
            }
        }
    }

    @Test
    fun `a closed client rejects calls, and calls in progress continue`() = Server { request ->
        if (request.path == "/api/geoips/open/") Thread.sleep(200)
        us
    }.use { server ->
        runBlocking(Dispatchers.Default) {
            val client = Client(USERNAME, PASSWORD, baseUrl = server.baseUrl)
            val other = client.withOptions(maxRetries = 0)
            val call = async { client.geo.open() }
            until("it is sent") { server.requests.size == 1 }
            client.close()
            client.close()
            assertEquals(mapOf("US" to 1L), call.await())
            assertEquals(closed, assertThrows(ConfigException::class.java) { runBlocking { client.geo.open() } }.message)
            assertEquals(closed, assertThrows(ConfigException::class.java) { client.withOptions() }.message)
            assertEquals(mapOf("US" to 1L), other.geo.world())
            other.close()
        }
        val blocking = BlockingClient(USERNAME, PASSWORD, baseUrl = server.baseUrl)
        blocking.close()
        blocking.close()
        assertEquals(closed, assertThrows(ConfigException::class.java) { blocking.geo.open() }.message)
        assertEquals(closed, assertThrows(ConfigException::class.java) { blocking.withOptions(0) }.message)
        assertEquals(server.baseUrl, blocking.baseUrl)
        assertEquals(2, server.requests.size)
    }

    @Test
    fun `many calls at once over one client`() = Server(us).use { server ->
        Client(USERNAME, PASSWORD, baseUrl = server.baseUrl).use { client ->
            val counts = runBlocking { List(1000) { async { client.geo.open().getValue("US") } }.awaitAll() }
            assertEquals(1000L, counts.sum())
        }
        val threads = Executors.newFixedThreadPool(32)
        BlockingClient(USERNAME, PASSWORD, baseUrl = server.baseUrl).use { client ->
            val counts = threads.invokeAll(List(1000) { Callable { client.geo.open().getValue("US") } }).map { it.get() }
            assertEquals(1000L, counts.sum())
        }
        threads.shutdown()
        assertEquals(2000, server.requests.size)
    }

    @Test
    fun `calls that wait for responses block no thread`() = Server { Thread.sleep(300); us }.use { server ->
        Client(USERNAME, PASSWORD, baseUrl = server.baseUrl).use { client ->
            runBlocking {
                client.geo.open()
                val start = System.nanoTime()
                List(50) { async { client.geo.open() } }.awaitAll() // all on this one thread
                assertTrue((System.nanoTime() - start) / 1e6 < 3000)
            }
        }
    }

    @Test
    fun `the caller's code never runs on a thread of the library`() = Server(us).use { server ->
        Client(USERNAME, PASSWORD, baseUrl = server.baseUrl).use { client ->
            runBlocking(Dispatchers.Unconfined) {
                repeat(20) {
                    client.geo.open()
                    assertFalse("proxymesh" in Thread.currentThread().name)
                }
            }
        }
    }

    @Test
    fun `an internal failure is an internal exception`() = Server(us).use { server ->
        val text = "internal error in the ProxyMesh library, please report it: it panicked: in a test"
        val settings = settings(USERNAME, PASSWORD, null, server.baseUrl, null, null, null, null, null, false, true)
        val calls = Calls.open(settings)
        val blocking = BlockingCalls.open(settings)
        fun panic(): Unit = throw Failure.Internal(text)
        val awaited = assertThrows(InternalException::class.java) { runBlocking { calls.make(geoOpen()) { panic() } } }
        val blocked = assertThrows(InternalException::class.java) { blocking.make(geoOpen()) { panic() } }
        assertEquals(listOf(text, text), listOf(awaited.message, blocked.message))
    }

    @Test
    fun `a thousand clients that are created, used and closed leave nothing behind`() = Server(us).use { server ->
        fun descriptors() = File("/proc/self/fd").list()!!.size
        fun threads() = File("/proc/self/task").list()!!.size
        fun resident() = File("/proc/self/statm").readText().split(' ')[1].toLong() * 4096 / 1_000_000
        fun use(clients: Int) = List(clients) {
            val references = mutableListOf<WeakReference<Any>>()
            Client(USERNAME, PASSWORD, baseUrl = server.baseUrl).use { client ->
                runBlocking { client.geo.open() }
                references += WeakReference<Any>(client)
            }
            BlockingClient(USERNAME, PASSWORD, baseUrl = server.baseUrl).use { client ->
                client.geo.open()
                references += WeakReference<Any>(client)
            }
            references
        }.flatten()
        runBlocking {
            use(100)
            until("the first are gone") { server.connections.get() == server.gone.get() }
            System.gc()
            val before = Triple(descriptors(), threads(), resident())
            val references = use(500)
            until("no connection is left") { server.connections.get() == server.gone.get() }
            until("no client is left") {
                System.gc()
                references.all { it.get() == null }
            }
            until("no descriptor and no thread is left") { descriptors() <= before.first + 4 && threads() <= before.second + 4 }
            val after = Triple(descriptors(), threads(), resident())
            println("descriptors, threads, MB: $before before, $after after 1,000 clients")
            assertTrue(after.third < before.third + 100)
        }
    }

    @Test
    fun `a client that was never closed is released after it has been garbage-collected`() = Server(us).use { server ->
        runBlocking {
            fun use(): List<WeakReference<Any>> {
                val client = Client(USERNAME, PASSWORD, baseUrl = server.baseUrl)
                val blocking = BlockingClient(USERNAME, PASSWORD, baseUrl = server.baseUrl).withOptions(0)
                runBlocking { client.geo.open() }
                blocking.geo.open()
                return listOf(WeakReference(client), WeakReference(blocking))
            }
            val references = use()
            assertEquals(listOf(2, 0), listOf(server.connections, server.gone).map { it.get() })
            until("the clients are collected, and a later call has released them") {
                System.gc()
                ProxyServer("us-ca.proxymesh.com")
                references.all { it.get() == null } && server.gone.get() == 2
            }
        }
    }

    @Test
    fun `toString and stack traces show no secret`() {
        val canaries = listOf(PASSWORD, "pm_canary7f3a91token")
        val token = Token(1, "ci", true, null, java.time.Instant.EPOCH)
        val shown = listOf(
            Client(USERNAME, PASSWORD).toString(),
            BlockingClient(USERNAME, PASSWORD).toString(),
            BlockingClient.builder().username(USERNAME).password(PASSWORD).toString(),
            AsyncClient.builder().username(USERNAME).password(PASSWORD).toString(),
            AsyncClient(USERNAME, PASSWORD).toString(),
            SubAccountFields().password(PASSWORD).toString(),
            NewToken(token, canaries[1]).toString(),
            listOf(NewToken(token, canaries[1])).toString(),
            assertThrows(ProxyMeshException::class.java) { Client(USERNAME, PASSWORD, token = canaries[1]) }.stackTraceToString(),
            assertThrows(ProxyMeshException::class.java) {
                Client(USERNAME, baseUrl = "https://x:$PASSWORD@y", password = PASSWORD)
            }.stackTraceToString(),
        )
        for (text in shown) for (canary in canaries) assertFalse(canary in text)
        assertEquals("NewToken(token=Token(id=1, label=ci, isActive=true, expiresAt=null, createdAt=1970-01-01T00:00:00Z), secret=[redacted])", shown[6])
    }

    @Test
    fun `the version is the package's`() = assertEquals(System.getProperty("proxymesh.version"), VERSION)
}
