package com.proxymesh

import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Reply
import com.proxymesh.support.Sandbox
import com.proxymesh.support.Server
import com.proxymesh.support.USERNAME
import com.proxymesh.support.kind
import com.proxymesh.support.text
import java.util.concurrent.Callable
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/**
 * A wrong password costs the account one failed authentication, however many callers try it. A revoked password costs only the
 * requests that are in flight.
 */
class GateTest {
    private fun check(sandbox: Sandbox, outcomes: List<Result<*>>) {
        val errors = outcomes.map { it.exceptionOrNull() as AuthenticationException }
        assertEquals(mapOf(1 to 1, 0 to 255), errors.groupingBy { it.attempts }.eachCount(), "one was sent, and all got its response")
        assertEquals(listOf("401"), sandbox.requests().map { it.text("status") })
    }

    /** A sandbox that is slow to respond to the first call, so that all calls have started by then. */
    private fun slowSandbox() = Sandbox().also { it.fault("""{"kind": "delay", "seconds": 2}""") }

    @Test
    fun `256 coroutines with a wrong password cost one 401`() = slowSandbox().use { sandbox ->
        Client(USERNAME, "wrong-password", baseUrl = sandbox.baseUrl).use { client ->
            val outcomes = runBlocking(Dispatchers.Default) {
                List(256) { async { runCatching { client.ips.list() } } }.awaitAll()
            }
            check(sandbox, outcomes)
        }
    }

    @Test
    fun `256 coroutines with a client each also cost one 401`() = slowSandbox().use { sandbox ->
        val outcomes = runBlocking(Dispatchers.Default) {
            List(256) {
                async { runCatching { Client(USERNAME, "wrong-password", baseUrl = sandbox.baseUrl).use { it.ips.list() } } }
            }.awaitAll()
        }
        check(sandbox, outcomes)
    }

    @Test
    fun `256 threads also cost one 401`() = slowSandbox().use { sandbox ->
        val threads = Executors.newFixedThreadPool(256)
        BlockingClient(USERNAME, "wrong-password", baseUrl = sandbox.baseUrl).use { client ->
            check(sandbox, threads.invokeAll(List(256) { Callable { runCatching { client.ips.list() } } }).map { it.get() })
        }
        threads.shutdown()
    }

    /** A service that revokes the password after 3,000 responses. It is slow, so that every connection is in use. */
    private class Revoking : AutoCloseable {
        private val answers = AtomicInteger()
        val refused = AtomicInteger()

        /** How many connections are open when the service starts to refuse. */
        val connections = AtomicInteger()
        private val server: Server = Server { _ -> answer() }
        val baseUrl get() = server.baseUrl

        private fun answer(): Reply {
            Thread.sleep(20)
            if (answers.incrementAndGet() <= 3000) return Reply.Answer(200, """{"ips": []}""")
            connections.compareAndSet(0, server.openConnections)
            refused.incrementAndGet()
            return Reply.Answer(401, """{"error": "Invalid username/password."}""")
        }

        override fun close() = server.close()
    }

    /** Lets 256 callers per client make calls until they fail, and checks how they fail. A client may have 100 requests in flight. */
    private fun revoked(clients: Int, call: (baseUrl: String) -> List<Result<*>>) = Revoking().use { service ->
        val ends = call(service.baseUrl).map { it.exceptionOrNull() as ProxyMeshException }
        val kinds = ends.groupingBy { it.kind() }.eachCount()
        println("revoked under ${ends.size} callers: ${service.refused} refused; ${service.connections} connections were open; $kinds")
        assertEquals(256 * clients, ends.size)
        assertTrue(kinds.keys.all { it in setOf("Authentication", "AuthenticationBlocked") }, kinds.toString())
        val most = minOf(100 * clients, service.connections.get())
        assertTrue(service.refused.get() in 1..most, "${service.refused} of $most")
    }

    private fun Client.inCoroutines() = runBlocking(Dispatchers.Default) {
        List(256) { async { runCatching { while (true) ips.list() } } }.awaitAll()
    }

    private fun BlockingClient.inThreads(): List<Result<*>> {
        val threads = Executors.newFixedThreadPool(256)
        val callers = List(256) { Callable { runCatching { while (true) ips.list() } } }
        return threads.invokeAll(callers).map { it.get() }.also { threads.shutdown() }
    }

    @Test
    fun `a password revoked under 256 coroutines costs only the requests in flight`() = revoked(clients = 1) { baseUrl ->
        Client(USERNAME, PASSWORD, baseUrl = baseUrl, maxConnections = 100).use { it.inCoroutines() }
    }

    @Test
    fun `a password revoked under 256 threads costs only the requests in flight`() = revoked(clients = 1) { baseUrl ->
        BlockingClient(USERNAME, PASSWORD, baseUrl = baseUrl, maxConnections = 100).use { it.inThreads() }
    }

    @Test
    fun `a password revoked under coroutines and threads costs only the requests in flight`() = revoked(clients = 2) { baseUrl ->
        Client(USERNAME, PASSWORD, baseUrl = baseUrl, maxConnections = 100).use { client ->
            BlockingClient(USERNAME, PASSWORD, baseUrl = baseUrl, maxConnections = 100).use { blocking ->
                val coroutines = CompletableFuture.supplyAsync { client.inCoroutines() }
                blocking.inThreads() + coroutines.get()
            }
        }
    }
}
