package com.proxymesh

import com.proxymesh.support.Account
import com.proxymesh.support.Arguments
import com.proxymesh.support.Kind
import com.proxymesh.support.Options
import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.USERNAME
import com.proxymesh.support.kind
import com.proxymesh.support.until
import java.time.Duration
import java.util.concurrent.CountDownLatch
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/**
 * An outage at the start is not a wrong password. Correct credentials work within a second of the service's return, plus the back-off:
 * 0.5 s, doubled after each trial without a response (docs/decisions/0008-the-auth-gate.md).
 */
class OutageTest {
    private val back = CountDownLatch(1)

    private fun serve(outage: () -> Reply, test: (Server) -> Unit) =
        Server { _ -> if (back.count > 0) outage() else Reply.Answer(200, """{"ips": []}""") }.use(test)

    /** Does not respond, and resets the connection when the service returns. */
    private fun untilItReturns(): Reply {
        back.await()
        return Reply.Reset
    }

    private fun Account.list() = runBlocking { call(Arguments("ips.list", JsonObject(emptyMap()))) }

    /** The kind of error with which a call fails. */
    private fun Account.failure(): String = assertThrows(ProxyMeshException::class.java) { list() }.kind()

    private fun seconds(call: () -> Unit): Double {
        val start = System.nanoTime()
        call()
        return (System.nanoTime() - start) / 1e9
    }

    /**
     * Lets the service return, and checks that the next call succeeds in time, after this many requests. On a busy machine, a call itself
     * takes long. So what the same call takes afterwards, when the gate is open, does not count.
     */
    private fun returns(what: String, server: Server, requests: Int, backOff: Double, call: () -> Unit) {
        back.countDown()
        val time = seconds(call)
        assertEquals(requests, server.requests.size)
        val open = seconds(call)
        println("%s: the first success %.2f s after the service's return, the next in %.2f s; the back-off is %.1f s".format(what, time, open, backOff))
        assertTrue(time - open < backOff + 1, "$what: $time s, and then $open s")
    }

    @ParameterizedTest
    @EnumSource
    fun `connections that are reset`(kind: Kind) = serve({ Reply.Reset }) { server ->
        kind.open(server.baseUrl).use { account ->
            assertEquals("Connection", account.failure())
            assertEquals(3, server.requests.size)
            returns("$kind, three resets", server, 4, 2.0) { account.list() }
        }
    }

    private fun afterAWhile(): Reply {
        Thread.sleep(200)
        return Reply.Reset
    }

    @Test
    fun `connections that are reset under 256 coroutines`() = serve(::afterAWhile) { server ->
        Client(USERNAME, PASSWORD, baseUrl = server.baseUrl, maxRetries = 0).use { client ->
            fun calls() = runBlocking(Dispatchers.Default) { List(256) { async { runCatching { client.ips.list() } } }.awaitAll() }
            assertEquals(mapOf("Connection" to 256), calls().groupingBy { (it.exceptionOrNull() as ProxyMeshException).kind() }.eachCount())
            val trials = server.requests.size
            assertTrue(trials <= 3, "$trials")
            returns("256 coroutines, $trials resets", server, trials + 256, 0.5 * (1 shl trials - 1)) {
                assertTrue(calls().all { it.isSuccess })
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `time-outs, then a restart`(kind: Kind) = serve(::untilItReturns) { server ->
        kind.open(server.baseUrl).use { account ->
            val hasty = account.with(Duration.ofMillis(100), 0)
            assertEquals(List(3) { "Timeout" }, List(3) { hasty.failure() })
            assertEquals(1, server.requests.size, "the first continues, and the others wait for its response")
            returns("$kind, time-outs", server, 2, 0.5) { account.list() }
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `time-outs, and responses that never arrive`(kind: Kind) = serve({ Reply.Hang }) { server ->
        kind.open(server.baseUrl).use { account ->
            assertEquals("Timeout", account.with(Duration.ofMillis(100), 0).failure())
            // The gate waits five seconds for an abandoned trial.
            returns("$kind, no answers", server, 2, 5.5) { account.list() }
        }
    }

    @Test
    fun `first calls that are cancelled, then a restart`() = serve(::untilItReturns) { server ->
        Client(USERNAME, PASSWORD, baseUrl = server.baseUrl).use { client ->
            runBlocking(Dispatchers.Default) {
                val call = launch { client.ips.list() }
                until("it is sent") { server.requests.size == 1 }
                call.cancelAndJoin()
                repeat(3) { assertTrue(runCatching { withTimeout(100) { client.ips.list() } }.exceptionOrNull() is TimeoutCancellationException) }
            }
            assertEquals(1, server.requests.size)
            returns("cancelled calls", server, 2, 0.5) { runBlocking { client.ips.list() } }
        }
    }

    @Test
    fun `first calls that are cancelled while the service is slow`() = Server { _ ->
        Thread.sleep(300)
        Reply.Answer(200, """{"ips": []}""")
    }.use { server ->
        Client(USERNAME, PASSWORD, baseUrl = server.baseUrl).use { client ->
            runBlocking(Dispatchers.Default) {
                repeat(3) { assertTrue(runCatching { withTimeout(50) { client.ips.list() } }.exceptionOrNull() is TimeoutCancellationException) }
            }
            // The first continues, and its response decides.
            returns("cancelled calls of a slow service", server, 2, 0.0) { runBlocking { client.ips.list() } }
        }
    }
}
