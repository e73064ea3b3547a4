package com.proxymesh

import com.proxymesh.support.Sandbox
import com.proxymesh.support.USERNAME
import com.proxymesh.support.text
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** A wrong password costs the account one failed authentication, however many try it. */
class GateTest {
    private fun check(sandbox: Sandbox, outcomes: List<Result<*>>) {
        val errors = outcomes.map { it.exceptionOrNull() as AuthenticationException }
        assertEquals(mapOf(1 to 1, 0 to 255), errors.groupingBy { it.attempts }.eachCount(), "one was sent, and answered all")
        assertEquals(listOf("401"), sandbox.requests().map { it.text("status") })
    }

    @Test
    fun `256 coroutines with a wrong password cost one 401`() = Sandbox().use { sandbox ->
        Client(USERNAME, "wrong-password", baseUrl = sandbox.baseUrl).use { client ->
            val outcomes = runBlocking(Dispatchers.Default) {
                List(256) { async { runCatching { client.ips.list() } } }.awaitAll()
            }
            check(sandbox, outcomes)
        }
    }

    @Test
    fun `256 coroutines with a client each, too`() = Sandbox().use { sandbox ->
        val outcomes = runBlocking(Dispatchers.Default) {
            List(256) {
                async { runCatching { Client(USERNAME, "wrong-password", baseUrl = sandbox.baseUrl).use { it.ips.list() } } }
            }.awaitAll()
        }
        check(sandbox, outcomes)
    }

    @Test
    fun `256 threads, too`() = Sandbox().use { sandbox ->
        val threads = Executors.newFixedThreadPool(256)
        BlockingClient(USERNAME, "wrong-password", baseUrl = sandbox.baseUrl).use { client ->
            check(sandbox, threads.invokeAll(List(256) { Callable { runCatching { client.ips.list() } } }).map { it.get() })
        }
        threads.shutdown()
    }
}
