package com.proxymesh

import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.USERNAME
import com.proxymesh.support.until
import java.io.File
import kotlin.coroutines.cancellation.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** If the coroutine of a call is cancelled, the call is abandoned: its connection is closed at once, and nothing is left of it. */
class CancellationTest {
    /** Never responds to `ips.list`, and asks `proxies.list` to retry much later. */
    private val server = Server { request ->
        when (request.path) {
            "/api/ips/" -> Reply.Hang
            "/api/proxies/" -> Reply.Answer(429, "", mapOf("Retry-After" to "60"))
            else -> Reply.Answer(200, """{"US": 1}""")
        }
    }
    private val client = Client(USERNAME, PASSWORD, baseUrl = server.baseUrl)

    /** Runs a test after a first response. Without one, the auth gate would soon delay calls. */
    private fun test(act: suspend () -> Unit) = server.use {
        client.use {
            runBlocking(Dispatchers.Default) {
                client.geo.open()
                act()
                assertEquals(mapOf("US" to 1L), client.geo.open(), "the client still works")
            }
        }
    }

    private fun report(way: String, times: List<Double>) {
        val sorted = times.sorted()
        println("from $way to a closed connection: min %.1f, median %.1f, max %.1f ms".format(sorted.first(), sorted[sorted.size / 2], sorted.last()))
        assertTrue(sorted[sorted.size / 2] < 200, "$times")
        assertTrue(sorted.last() < 200 + 2000, "a busy machine may take longer: $times")
    }

    @Test
    fun `the server sees the connection closed within 200 ms of a cancel`() = test {
        val times = List(20) { round ->
            coroutineScope {
                val call = launch { client.ips.list() }
                until("it is sent") { server.requests.size == round + 2 }
                val start = System.nanoTime()
                call.cancel()
                until("it is gone") { server.gone.get() == round + 1 }
                val time = (System.nanoTime() - start) / 1e6
                call.join()
                assertTrue(call.isCancelled)
                time
            }
        }
        report("cancel", times)
        assertEquals(21, server.requests.size, "none was retried")
    }

    @Test
    fun `the server sees the connection closed within 200 ms of a time-out`() = test {
        val times = List(20) { round ->
            val start = System.nanoTime()
            try {
                withTimeout(100) { client.ips.list() }
                error("it never answers")
            } catch (_: TimeoutCancellationException) {
                until("it is gone") { server.gone.get() == round + 1 }
                (System.nanoTime() - start) / 1e6 - 100 // since the time-out
            }
        }
        report("withTimeout", times)
    }

    @Test
    fun `a cancelled call ends with CancellationException and no error of ours`() = test {
        coroutineScope {
            val call = async(start = CoroutineStart.UNDISPATCHED) { runCatching { client.ips.list() } }
            until("it is sent") { server.requests.size == 2 }
            call.cancelAndJoin()
            assertThrows(CancellationException::class.java) { runBlocking { call.await() } }
        }
    }

    @Test
    fun `a coroutine that is already cancelled sends nothing`() = test {
        coroutineScope {
            launch(start = CoroutineStart.UNDISPATCHED) {
                coroutineContext[kotlinx.coroutines.Job]!!.cancel()
                client.ips.list()
            }
        }
        assertEquals(1, server.requests.size)
    }

    @Test
    fun `a call that waits for a retry is not retried`() = test {
        coroutineScope {
            val call = launch { client.proxies.list() }
            until("it is sent") { server.requests.size == 2 }
            delay(50)
            call.cancelAndJoin()
        }
        assertEquals(2, server.requests.size)
    }

    @Test
    fun `when one of several calls fails, the others are abandoned`() = test {
        val error = assertThrows(NotFoundException::class.java) {
            runBlocking(Dispatchers.Default) {
                repeat(10) { launch { client.ips.list() } }
                until("all are sent") { server.requests.size == 11 }
                Server(Reply.Answer(404)).use { other ->
                    Client(USERNAME, PASSWORD, baseUrl = other.baseUrl).use { it.subAccounts.get("nobody") }
                }
            }
        }
        assertEquals("sub_accounts.get", error.call)
        until("all are gone") { server.gone.get() == 10 }
    }

    @Test
    fun `a thousand cancelled calls leave nothing behind`() = test {
        suspend fun cancelMany(rounds: Int) = repeat(rounds) {
            coroutineScope {
                val (arrived, gone) = server.requests.size to server.gone.get()
                val calls = List(50) { launch { client.ips.list() } }
                until("all are sent") { server.requests.size == arrived + 50 }
                calls.forEach { it.cancel() }
                calls.joinAll()
                until("all are gone") { server.gone.get() == gone + 50 }
            }
        }
        cancelMany(2)
        do {
            System.gc() // clients of other tests
            val early = left()
            delay(200)
        } while (left() != early)
        val before = left()
        cancelMany(20)
        until("nothing more than before is left: $before, ${left()}") {
            val after = left()
            after.keys.all { after.getValue(it) <= before.getValue(it) + 4 }
        }
        println("left by 1,000 cancelled calls: $before before, ${left()} after")
    }

    /** How many JVM threads, system threads and file descriptors this process has. */
    private fun left() = mapOf(
        "JVM threads" to Thread.getAllStackTraces().size,
        "threads" to File("/proc/self/task").list()!!.size,
        "descriptors" to File("/proc/self/fd").list()!!.size,
    )
}
