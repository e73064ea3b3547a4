package com.proxymesh

import com.proxymesh.support.JAVA
import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.USERNAME
import com.proxymesh.support.until
import java.util.concurrent.Callable
import java.util.concurrent.CancellationException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.runInterruptible
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test

/** Interrupts end the calls of a blocking client, on platform threads and on virtual ones. */
class InterruptTest {
    /** Never responds to `ips.list`, and responds to `geo.world` after 300 ms. */
    private val server = Server { request ->
        when (request.path) {
            "/api/ips/" -> Reply.Hang
            "/api/geoips/world/" -> {
                Thread.sleep(300)
                Reply.Answer(200, """{"US": 1}""")
            }
            else -> Reply.Answer(200, """{"US": 1}""")
        }
    }
    private val client = BlockingClient(USERNAME, PASSWORD, baseUrl = server.baseUrl)

    /** The kinds of threads. Java 17 has no virtual ones. */
    private enum class Threads(val newExecutor: () -> ExecutorService) {
        PLATFORM({ Executors.newCachedThreadPool() }),
        VIRTUAL({ Executors::class.java.getMethod("newVirtualThreadPerTaskExecutor").invoke(null) as ExecutorService }),
    }

    private fun test(act: suspend (ExecutorService) -> Unit) = server.use {
        client.use {
            for (threads in Threads.entries.filter { JAVA >= 21 || it == Threads.PLATFORM }) {
                // The first response shows that the credentials are right. Until then, the request would continue.
                val executor = threads.newExecutor()
                try {
                    executor.submit(Callable { client.geo.open() }).get()
                    runBlocking(Dispatchers.Default) { act(executor) }
                    assertEquals(mapOf("US" to 1L), executor.submit(Callable { client.geo.open() }).get(), "the client still works")
                } finally {
                    executor.shutdownNow()
                }
            }
        }
    }

    @Test
    fun `an interrupt ends a call and closes its connection`() = test { executor ->
        val times = List(5) {
            val (sent, gone) = server.requests.size to server.gone.get()
            val started = CompletableFuture<Thread>()
            val call = executor.submit(
                Callable {
                    started.complete(Thread.currentThread())
                    val error = assertThrows(CancellationException::class.java) { client.ips.list() }
                    error to Thread.currentThread().isInterrupted
                },
            )
            until("it is sent") { server.requests.size == sent + 1 }
            val start = System.nanoTime()
            started.get().interrupt()
            until("it is gone") { server.gone.get() == gone + 1 }
            val time = (System.nanoTime() - start) / 1e6
            val (error, isInterrupted) = call.get()
            assertEquals("the thread was interrupted during the call", error.message)
            assertTrue(error.cause is InterruptedException)
            assertTrue(isInterrupted, "the thread stays interrupted")
            time
        }
        println("from an interrupt to a closed connection: ${times.map { "%.1f".format(it) }} ms")
        assertTrue(times.all { it < 500 }, "$times")
    }

    @Test
    fun `a thread that is already interrupted sends nothing`() = test { executor ->
        val sent = server.requests.size
        val call = executor.submit(
            Callable {
                Thread.currentThread().interrupt()
                assertThrows(CancellationException::class.java) { client.ips.list() }
                Thread.interrupted()
            },
        )
        assertTrue(call.get())
        assertEquals(sent, server.requests.size)
    }

    @Test
    fun `a cancelled future of an executor ends its call`() = test { executor ->
        val (sent, gone) = server.requests.size to server.gone.get()
        val calls = List(8) { executor.submit(Callable { client.ips.list() }) }
        until("they are sent") { server.requests.size == sent + 8 }
        calls.forEach { it.cancel(true) }
        until("they are gone") { server.gone.get() == gone + 8 }
    }

    @Test
    fun `runInterruptible ends a call when its coroutine is cancelled`() = test {
        val (sent, gone) = server.requests.size to server.gone.get()
        runBlocking {
            val call = launch { runInterruptible(Dispatchers.IO) { client.ips.list() } }
            until("it is sent") { server.requests.size == sent + 1 }
            call.cancelAndJoin()
        }
        until("it is gone") { server.gone.get() == gone + 1 }
    }

    @Test
    fun `64 calls on virtual threads wait at the same time, and let others run`() {
        assumeTrue(JAVA >= 21, "virtual threads came with Java 21")
        test {
            val executor = Threads.VIRTUAL.newExecutor()
            val beats = AtomicInteger()
            val longest = AtomicLong()
            val stop = AtomicBoolean()
            executor.submit {
                var last = System.nanoTime()
                while (!stop.get()) {
                    Thread.sleep(10)
                    beats.incrementAndGet()
                    val now = System.nanoTime()
                    longest.accumulateAndGet((now - last) / 1_000_000, Math::max)
                    last = now
                }
            }
            val start = System.nanoTime()
            val counts = List(64) { executor.submit(Callable { client.geo.world().getValue("US") }) }.sumOf { it.get() }
            val time = (System.nanoTime() - start) / 1_000_000
            stop.set(true)
            executor.shutdown()
            println("64 calls of 300 ms on virtual threads: $time ms; another one ran $beats times, with gaps of at most $longest ms")
            assertEquals(64, counts)
            assertTrue(time < 3000 && beats.get() >= 10, "$time ms, $beats")
        }
    }
}
