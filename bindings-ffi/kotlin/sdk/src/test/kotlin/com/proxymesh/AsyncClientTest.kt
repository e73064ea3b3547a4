package com.proxymesh

import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.USERNAME
import com.proxymesh.support.until
import java.time.Duration
import java.util.concurrent.CancellationException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CountDownLatch
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executor
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The client whose calls return a `CompletableFuture`. */
class AsyncClientTest {
    /** Never responds to `ips.list`, responds to `geo.world` after 300 ms, knows no proxy, and responds to other calls at once. */
    private val server = Server { request ->
        when (request.path) {
            "/api/ips/" -> Reply.Hang
            "/api/geoips/world/" -> {
                Thread.sleep(300)
                Reply.Answer(200, """{"US": 1}""")
            }
            "/api/proxies/" -> Reply.Answer(404, """{"error": "no"}""")
            "/api/ip/delete/" -> Reply.Answer(200, """{"ip": "203.0.113.7"}""")
            else -> Reply.Answer(200, """{"US": 1}""")
        }
    }

    private fun builder() = AsyncClient.builder().username(USERNAME).password(PASSWORD).baseUrl(server.baseUrl)

    /** Runs a test after a first response. Before one, an abandoned request would continue for up to five seconds. */
    private fun test(client: AsyncClient = builder().build(), act: suspend (AsyncClient) -> Unit) = server.use {
        client.use {
            client.geo.open().join()
            runBlocking { act(client) }
            assertEquals(mapOf("US" to 1L), client.geo.open().get(), "the client still works")
        }
    }

    @Test
    fun `a call returns a future with its result`() = test { client ->
        assertEquals(mapOf("US" to 1L), client.geo.world().thenCombine(client.geo.open()) { _, open -> open }.get())
        assertNull(client.ips.delete("203.0.113.7").get(), "it has no result")
        val counts = List(1000) { client.geo.open() }.map { it.join().getValue("US") }
        assertEquals(1000L, counts.sum())
    }

    @Test
    fun `the future of a failed call has the exception of the SDK`() = test { client ->
        val exceptions = listOf(
            assertThrows(CompletionException::class.java) { client.proxies.list().join() }.cause,
            assertThrows(ExecutionException::class.java) { client.proxies.list().get() }.cause,
            client.proxies.list().handle { _, error -> error }.join(),
        )
        for (exception in exceptions) assertEquals("proxies.list", (exception as NotFoundException).call)
        // Even for bad input, it is the future that fails, not the call of the method.
        fun validation(call: () -> CompletableFuture<*>) =
            assertThrows(CompletionException::class.java) { call().join() }.cause as ValidationException
        assertEquals("ip", validation { client.ips.add("nowhere") }.field)
        assertEquals("text", validation { client.ips.add("\udfff") }.field)
    }

    @Test
    fun `cancel closes the connection of a call, and so does any other end of its future`() = test { client ->
        val ways = mapOf<String, (CompletableFuture<List<String>>) -> Unit>(
            "cancel" to { it.cancel(true) },
            "orTimeout" to { it.orTimeout(1, TimeUnit.MILLISECONDS) },
            "complete" to { it.complete(emptyList()) },
            "completeExceptionally" to { it.completeExceptionally(Exception()) },
        )
        for ((name, end) in ways) {
            val (sent, gone) = server.requests.size to server.gone.get()
            val call = client.ips.list()
            until("it is sent") { server.requests.size == sent + 1 }
            val start = System.nanoTime()
            end(call)
            until("it is gone") { server.gone.get() == gone + 1 }
            println("from $name to a closed connection: %.1f ms".format((System.nanoTime() - start) / 1e6))
            assertTrue(call.isDone)
        }
        assertThrows(CancellationException::class.java) { client.ips.list().apply { cancel(false) }.join() }
    }

    @Test
    fun `what depends on a future may block, and other calls go on`() = test { client ->
        val release = CountDownLatch(1)
        val waiting = CountDownLatch(20)
        val names = List(20) {
            client.geo.world().thenApply {
                waiting.countDown()
                release.await()
                Thread.currentThread().name
            }
        }
        assertTrue(waiting.await(10, TimeUnit.SECONDS))
        assertEquals(mapOf("US" to 1L), client.geo.open().get(10, TimeUnit.SECONDS))
        release.countDown()
        assertEquals(setOf("proxymesh-future"), names.map { it.join() }.toSet())
    }

    @Test
    fun `a thread may stop waiting, and another one gets the result`() = test { client ->
        val call = client.geo.world()
        val after = call.thenApply { Thread.currentThread().name }
        assertThrows(TimeoutException::class.java) { call.get(10, TimeUnit.MILLISECONDS) }
        Thread.currentThread().interrupt()
        assertThrows(InterruptedException::class.java) { call.get() }
        assertEquals("proxymesh-future", after.get(10, TimeUnit.SECONDS))
        assertEquals(listOf(mapOf("US" to 1L), mapOf("US" to 1L)), listOf(call.join(), call.get(0, TimeUnit.SECONDS)))
    }

    @Test
    fun `threads that wait for the same call all get its result, or its end`() = test { client ->
        fun wait(call: CompletableFuture<*>) = List(8) { number ->
            CompletableFuture<Any?>().also { outcome ->
                thread { outcome.complete(runCatching { if (number % 2 == 0) call.join() else call.get() }.let { it.getOrNull() ?: it.exceptionOrNull() }) }
            }
        }
        assertEquals(List(8) { mapOf("US" to 1L) }, wait(client.geo.world()).map { it.get(10, TimeUnit.SECONDS) })
        val sent = server.requests.size
        val call = client.ips.list()
        val waiting = wait(call)
        until("it is sent") { server.requests.size == sent + 1 }
        call.cancel(true)
        assertTrue(waiting.all { it.get(10, TimeUnit.SECONDS) is CancellationException })
    }

    @Test
    fun `the executor runs what depends on a future`() {
        val count = AtomicInteger()
        test(builder().executor { work -> count.incrementAndGet().also { work.run() } }.build()) { client ->
            for (options in listOf(client.withOptions(Duration.ofSeconds(5)), client.withOptions(null, 0))) {
                val before = count.get()
                assertEquals(1L, options.geo.world().thenApply { it["US"] }.join())
                assertEquals(before + 1, count.get())
            }
        }
    }

    @Test
    fun `if the executor rejects work, a call still ends`() =
        test(builder().executor(Executor { throw RejectedExecutionException() }).build()) { client ->
            // A stage is waited for, because a thread that waits for the call itself needs no executor.
            val thread = client.geo.world().thenApply { Thread.currentThread().name to it }.get(10, TimeUnit.SECONDS)
            assertEquals(mapOf("US" to 1L), thread.second)
            assertFalse("proxymesh" in thread.first, thread.first)
        }

    @Test
    fun `options apply only to the client that has them`() = Server(Reply.Answer(503)).use { other ->
        builder().baseUrl(other.baseUrl).maxRetries(1).build().use { client ->
            fun attempts(client: AsyncClient) =
                (assertThrows(CompletionException::class.java) { client.geo.open().join() }.cause as ServerException).attempts
            assertEquals(listOf(1, 2), listOf(attempts(client.withOptions(0)), attempts(client)))
        }
    }

    @Test
    fun `a closed client rejects calls`() = server.use {
        val client = builder().build()
        client.close()
        client.close()
        assertThrows(ConfigException::class.java) { client.withOptions(0) }
        val closed = assertThrows(CompletionException::class.java) { client.geo.open().join() }.cause as ConfigException
        assertEquals("the client is closed; create a new one", closed.message)
    }

    @Test
    fun `Java can create a client without a builder`() {
        val made = AsyncClient::class.java.getConstructor(String::class.java, String::class.java).newInstance(USERNAME, PASSWORD)
        assertEquals("AsyncClient(baseUrl=https://proxymesh.com)", made.toString())
        assertThrows(ConfigException::class.java) { AsyncClient() }
        val builder = AsyncClient.builder()
        assertSame(builder, builder.timeout(Duration.ofSeconds(1)).executor(Runnable::run))
        assertFalse(PASSWORD in builder.password(PASSWORD).toString())
    }
}
