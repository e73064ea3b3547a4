package com.proxymesh

import io.mockk.coEvery
import io.mockk.coVerify
import io.mockk.every
import io.mockk.mockk
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

/** The tests of a Kotlin program can replace the clients with mocks, although the classes are final. */
class MockkTest {
    @Test
    fun `the client can be mocked`() {
        val client = mockk<Client>()
        coEvery { client.ips.list() } returns listOf("203.0.113.7")
        coEvery { client.tokens.create(label = "ci") } throws PlanLimitException("no tokens", Refusal("tokens.create", 402, "no tokens"))
        every { client.proxies.pool(any()) } returns mockk {
            coEvery { get() } returns ProxyServer("us-ca.proxymesh.com")
        }

        runBlocking {
            assertEquals(listOf("203.0.113.7"), client.ips.list())
            assertEquals("us-ca", client.proxies.pool().get().name)
        }
        assertThrows(PlanLimitException::class.java) { runBlocking { client.tokens.create(label = "ci") } }
        coVerify(exactly = 1) { client.ips.list() }
    }
}
