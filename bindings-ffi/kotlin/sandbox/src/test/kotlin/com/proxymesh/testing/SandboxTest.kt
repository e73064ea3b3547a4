package com.proxymesh.testing

import com.proxymesh.AuthenticationException
import com.proxymesh.BlockingClient
import com.proxymesh.Client
import com.proxymesh.PlanLimitException
import com.proxymesh.ServerException
import java.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class SandboxTest {
    @Test
    fun `it serves an account of its own, and records the calls`() = Sandbox.start().use { sandbox ->
        Sandbox.start().use { other -> assertNotEquals(sandbox.baseUrl, other.baseUrl) }
        sandbox.blockingClient().use { client -> client.ips.add("203.0.113.7", "office") }
        val request = sandbox.requests().single()
        assertEquals("POST /api/ip/add/ -> 200", request.toString())
        assertEquals(mapOf("ip" to "203.0.113.7", "label" to "office"), request.form)
        assertEquals("parent", request.username)
        sandbox.clearRequests()
        runBlocking { sandbox.client().use { client -> assertEquals(listOf("203.0.113.7"), client.ips.list()) } }
        assertEquals(emptyMap<String, String>(), sandbox.requests().single().query)
        sandbox.asyncClient().use { client -> client.geo.open().join() }
        sandbox.reset()
        sandbox.blockingClient().use { client -> assertEquals(emptyList<String>(), client.ips.list()) }
    }

    @Test
    fun `calls fail as they were told to`() = Sandbox.start().use { sandbox ->
        sandbox.inject(Fault.status(503).path("/api/ips/").body("down").times(2))
        BlockingClient(sandbox.username, sandbox.password, baseUrl = sandbox.baseUrl, maxRetries = 0).use { client ->
            client.geo.open()
            assertEquals(1, sandbox.pendingFaults())
            val error = assertThrows(ServerException::class.java) { client.ips.list() }
            assertEquals("down" to 503, error.body to error.status)
            assertEquals("status", sandbox.requests().last().fault)
            sandbox.clearFaults()
            client.ips.list()
            sandbox.inject(Fault.dropAfterApply().path("/api/ip/add/").method("POST"))
            assertEquals("203.0.113.7", client.ips.add("203.0.113.7"))
            sandbox.inject(Fault.status(429).header("Retry-After", "7").after(1))
            client.ips.list()
            assertEquals(Duration.ofSeconds(7), assertThrows(com.proxymesh.RateLimitedException::class.java) { client.ips.list() }.retryAfter)
        }
        val error = assertThrows(IllegalArgumentException::class.java) { sandbox.inject(Fault.status(99)) }
        assertTrue("status" in error.message.orEmpty(), error.message)
    }

    @Test
    fun `the clock and the usage can be moved forward`() =
        Sandbox.start(SandboxOptions(plan = "trial").withCredentials("me@ex.com", "@:/% é+ß")).use { sandbox ->
            val before = sandbox.now()
            sandbox.advance(Duration.ofHours(1))
            sandbox.advance(2.hours)
            assertTrue(Duration.between(before, sandbox.now()) in Duration.ofHours(3)..Duration.ofHours(4))
            sandbox.blockingClient().use { client ->
                client.subAccounts.create("crawler-1")
                sandbox.addUsage("crawler-1", 1.5)
                assertEquals(1.5, client.subAccounts.get("crawler-1").monthlyBandwidth)
                assertThrows(PlanLimitException::class.java) { client.tokens.create() }
            }
            assertThrows(IllegalArgumentException::class.java) { sandbox.addUsage("nobody", 1.0) }
            BlockingClient("me@ex.com", "wrong", baseUrl = sandbox.baseUrl).use { client ->
                assertThrows(AuthenticationException::class.java) { client.ips.list() }
            }
            assertFalse("@:/% é+ß" in sandbox.toString())
        }

    @Test
    fun `the proxies can be used, and record their requests`() =
        Sandbox.start(SandboxOptions().withProxies(true)).use { sandbox ->
            sandbox.blockingClient().use { client ->
                val proxy = client.proxies.pool().get()
                assertTrue(proxy.checkBlocking().isOk)
                val seen = sandbox.proxied().single()
                assertEquals("${proxy.name}: CONNECT proxymesh.com:443 -> 200", seen.toString())
                assertEquals("parent", seen.account)
                assertTrue(seen.exitIp != null && seen.country == null && seen.headers["proxy-authorization"] == "***")
                sandbox.clearProxied()
                sandbox.inject(Fault.status(502).proxy(proxy.name))
                assertEquals(502, proxy.checkBlocking().status)
            }
        }

    @Test
    fun `an invalid option is refused`() {
        val error = assertThrows(IllegalArgumentException::class.java) { Sandbox.start(SandboxOptions(plan = "7")) }
        assertTrue("unknown plan '7'" in error.message.orEmpty(), error.message)
    }

    @Test
    fun `it ends when it is closed, which may happen twice`() {
        val sandbox = Sandbox.start()
        sandbox.close()
        sandbox.close()
        assertThrows(java.io.IOException::class.java) { sandbox.requests() }
    }
}

@WithSandbox(plan = "trial", proxies = true)
class WithSandboxTest {
    @Test
    fun `each test has a sandbox and clients`(sandbox: Sandbox, client: Client, blocking: BlockingClient) {
        runBlocking { client.ips.add("203.0.113.7") }
        assertEquals(listOf("203.0.113.7"), blocking.ips.list())
        assertEquals(2, sandbox.requests().size)
        assertThrows(PlanLimitException::class.java) { blocking.tokens.create() }
        assertTrue(blocking.proxies.list().all { it.host.endsWith(".localhost") })
    }

    @Test
    fun `another test has another one`(sandbox: Sandbox, blocking: BlockingClient) {
        assertEquals(emptyList<String>(), blocking.ips.list())
        assertEquals(1, sandbox.requests().size)
    }

    @Test
    @WithSandbox
    fun `a test may want another one than its class`(blocking: BlockingClient) {
        blocking.tokens.create("ci")
    }
}
