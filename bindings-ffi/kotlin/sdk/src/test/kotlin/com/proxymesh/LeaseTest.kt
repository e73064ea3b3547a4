package com.proxymesh

import com.proxymesh.support.PASSWORD
import com.proxymesh.support.SUB_PASSWORD
import com.proxymesh.support.Sandbox
import com.proxymesh.support.USERNAME
import java.io.IOException
import java.time.Duration
import java.util.concurrent.CancellationException
import java.util.concurrent.CountDownLatch
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** IPs that are authorised while they are needed. */
class LeaseTest {
    private val ip = "203.0.113.7"

    private fun with(test: (Sandbox, BlockingClient) -> Unit) = Sandbox().use { sandbox ->
        BlockingClient(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl).use { test(sandbox, it) }
    }

    private fun suspending(sandbox: Sandbox) = Client(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl)

    private fun future(sandbox: Sandbox) =
        AsyncClient.builder().username(USERNAME).password(PASSWORD).baseUrl(sandbox.baseUrl).build()

    @Test
    fun `an IP is authorised while a block runs, however it ends`() = with { sandbox, watching ->
        suspending(sandbox).use { client ->
            runBlocking {
                val result = client.ips.withAuthorizedIp(ip, label = "crawl") {
                    assertEquals(ip, it)
                    assertEquals(listOf(LabeledIp(ip, "crawl")), watching.ips.labels())
                    42
                }
                assertEquals(42, result)
                assertEquals(emptyList<String>(), watching.ips.list())

                assertThrows(IOException::class.java) {
                    runBlocking { client.ips.withAuthorizedIp(ip) { throw IOException("of the block") } }
                }
                assertEquals(emptyList<String>(), watching.ips.list())

                val entered = CompletableDeferred<Unit>()
                val job = launch {
                    client.ips.withAuthorizedIp(ip) {
                        entered.complete(Unit)
                        awaitCancellation()
                    }
                }
                entered.await()
                assertEquals(listOf(ip), watching.ips.list())
                job.cancelAndJoin()
                assertEquals(emptyList<String>(), watching.ips.list())

                watching.subAccounts.create("crawler-1", SUB_PASSWORD)
                client.ips.withAuthorizedIp(ip, username = "crawler-1") {
                    assertEquals(listOf(ip), watching.ips.list("crawler-1"))
                    // The inner lease shares the IP, and the outer one removes it.
                    client.ips.withAuthorizedIp(ip, username = "crawler-1") {}
                    assertEquals(listOf(ip), watching.ips.list("crawler-1"))
                }
                assertEquals(emptyList<String>(), watching.ips.list("crawler-1"))
            }
        }
    }

    @Test
    fun `an IP that was already authorised stays`() = with { sandbox, watching ->
        watching.ips.add(ip, "office")
        watching.ips.authorized(ip).close()
        suspending(sandbox).use { client -> runBlocking { client.ips.withAuthorizedIp(ip) {} } }
        future(sandbox).use { client -> client.ips.authorized(ip).get().release().get() }
        assertEquals(listOf(LabeledIp(ip, "office")), watching.ips.labels())
    }

    @Test
    fun `a lease of a blocking client is released by an interrupted thread, and after its client is closed`() =
        with { sandbox, watching ->
            val client = BlockingClient(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl)
            val lease = client.ips.authorized(ip, "crawl")
            assertEquals(ip, lease.ip)
            client.close()
            assertEquals(listOf(ip), watching.ips.list())
            val released = CountDownLatch(1)
            val interrupted = thread {
                Thread.currentThread().interrupt()
                lease.use { }
                assertTrue(Thread.interrupted())
                released.countDown()
            }
            assertTrue(released.await(20, TimeUnit.SECONDS))
            interrupted.join()
            assertEquals(emptyList<String>(), watching.ips.list())
            lease.close()
        }

    @Test
    fun `a lease of an async client is released, also if its future is cancelled`() = with { sandbox, watching ->
        future(sandbox).use { client ->
            client.ips.list().get()
            val lease = client.ips.authorized(ip).get()
            assertEquals(listOf(ip), watching.ips.list())
            lease.release().get()
            assertEquals(emptyList<String>(), watching.ips.list())

            sandbox.fault("""{"kind": "delay", "seconds": 0.5, "path": "/api/ip/add/"}""")
            val abandoned = client.ips.authorized("203.0.113.8")
            Thread.sleep(200)
            assertTrue(abandoned.cancel(true))
            assertThrows(CancellationException::class.java) { abandoned.get() }
            // Another lease waits until the first one has been given back.
            client.ips.authorized("203.0.113.8").get().release().get()
            val late = System.nanoTime() + Duration.ofSeconds(20).toNanos()
            while (watching.ips.list().isNotEmpty() && System.nanoTime() < late) Thread.sleep(20)
            assertEquals(emptyList<String>(), watching.ips.list())

            val refused = assertThrows(ExecutionException::class.java) { client.ips.authorized("1.2.3").get() }
            assertEquals("ip", (refused.cause as ValidationException).field)
        }
    }

    @Test
    fun `the only thread of an executor can wait for a lease`() = with { sandbox, watching ->
        val one = Executors.newSingleThreadExecutor()
        try {
            AsyncClient.builder().username(USERNAME).password(PASSWORD).baseUrl(sandbox.baseUrl).executor(one).build().use { client ->
                val held = client.ips.list().thenApply { client.ips.authorized(ip).join() }.get(20, TimeUnit.SECONDS)
                assertEquals(listOf(ip), watching.ips.list())
                val released = client.ips.list().thenApply {
                    held.release().join()
                    assertThrows(ExecutionException::class.java) {
                        sandbox.fault("""{"kind": "status", "status": 403, "path": "/api/ip/add/"}""")
                        client.ips.authorized(ip).get(10, TimeUnit.SECONDS)
                    }
                }
                assertTrue(released.get(20, TimeUnit.SECONDS).cause is PermissionDeniedException)
                assertEquals(emptyList<String>(), watching.ips.list())
            }
        } finally {
            one.shutdown()
        }
    }

    @Test
    fun `a wrong lease is refused before anything is sent`() = with { sandbox, watching ->
        val before = sandbox.requests().size
        assertEquals("ip", assertThrows(ValidationException::class.java) { watching.ips.authorized("1.2.3") }.field)
        assertEquals("label", assertThrows(ValidationException::class.java) { watching.ips.authorized(ip, "x".repeat(256)) }.field)
        assertEquals("lookup", assertThrows(ValidationException::class.java) { watching.ips.follow(lookup = "ftp://x") }.field)
        val interval = Duration.ofMillis(500)
        assertEquals("interval", assertThrows(ValidationException::class.java) { watching.ips.follow(interval = interval) }.field)
        assertEquals("interval", assertThrows(ValidationException::class.java) { watching.ips.follow(interval = 500.milliseconds) }.field)
        assertEquals(before, sandbox.requests().size)
    }

    /** The address of this machine is the one that it calls the service from: here, a local one. */
    @Test
    fun `a follower keeps the address of this machine authorised until it is closed`() = with { sandbox, watching ->
        val here = "127.0.0.1"
        watching.ips.follow("home", interval = 1.seconds).use { follower ->
            assertEquals(here, follower.ip)
            assertTrue(follower.isRunning)
            assertNull(follower.error)
            assertEquals(listOf(LabeledIp(here, "home")), watching.ips.labels())
        }
        suspending(sandbox).use { client ->
            runBlocking {
                val follower = client.ips.follow(interval = 1.seconds)
                assertEquals(listOf(here), watching.ips.list())
                follower.close()
                assertFalse(follower.isRunning)
            }
        }
        future(sandbox).use { client ->
            val follower = client.ips.follow("home", null, null, Duration.ofSeconds(1)).get()
            assertEquals("AsyncIpFollower(ip=$here)", follower.toString())
            follower.close().get()
        }
        assertEquals(emptyList<String>(), watching.ips.list())
    }
}
