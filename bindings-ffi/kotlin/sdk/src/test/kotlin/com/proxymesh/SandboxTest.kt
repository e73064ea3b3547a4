package com.proxymesh

import com.proxymesh.support.PASSWORD
import com.proxymesh.support.SUB_PASSWORD
import com.proxymesh.support.Sandbox
import com.proxymesh.support.USERNAME
import com.proxymesh.support.text
import java.time.Duration
import java.time.Instant
import java.time.LocalDate
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Makes calls as users write them, with the types of Kotlin and Java, against the emulated service. */
class SandboxTest {
    @Test
    fun `the suspending client accepts and returns the types of the language`() = Sandbox().use { sandbox ->
        Client(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl).use { client ->
            runBlocking {
                val proxy = client.proxies.list().first()
                assertEquals(proxy.host, client.proxies.add(proxy))
                client.proxies.delete(proxy)
                assertTrue(client.geo.open().values.all { it >= 0 })
                assertTrue("US" in client.geo.world())

                val made = client.subAccounts.create(
                    "crawler-1", password = SUB_PASSWORD, firstName = "Zoë", lastName = "O", email = "z@ex.com",
                    monthlyLimit = 5, totalLimit = 50,
                )
                assertEquals(listOf(5L, 50L), listOf(made.monthlyBandwidthLimit, made.totalBandwidthLimit))
                assertEquals(7, client.subAccounts.edit("crawler-1", monthlyLimit = 7).monthlyBandwidthLimit)
                sandbox.control("usage", """{"username": "crawler-1", "gigabytes": 1.5}""")
                val found = client.subAccounts.get("crawler-1")
                assertEquals(listOf(1.5, 1.5), listOf(found.monthlyBandwidth, found.totalBandwidth))
                assertEquals(listOf("Zoë", "O", "z@ex.com"), listOf(found.firstName, found.lastName, found.email))
                assertFalse(client.subAccounts.deactivate("crawler-1").isActive)
                assertTrue(client.subAccounts.activate("crawler-1").isActive)

                assertEquals("203.0.113.7", client.ips.add("203.0.113.7", label = "office"))
                assertEquals(listOf(LabeledIp("203.0.113.7", "office")), client.ips.labels())
                assertEquals(listOf("203.0.113.7"), client.ips.list())
                client.ips.delete("203.0.113.7")
                client.ips.add("2001:db8::7", username = "crawler-1")
                assertEquals(listOf("2001:db8::7"), client.ips.list(username = "crawler-1"))

                assertEquals("a.example", client.hostnames.add("a.example"))
                assertEquals(listOf("a.example"), client.hostnames.list())
                client.hostnames.delete("a.example")

                val expiry = LocalDate.now().plusYears(1)
                val created = client.tokens.create(label = "ci", expiresAt = expiry)
                val (token, secret) = created.token to created.secret
                assertTrue(secret.startsWith("pm_"))
                assertEquals(expiry, token.expiresAt)
                assertTrue(Duration.between(token.createdAt, Instant.now()).abs() < Duration.ofMinutes(1))
                assertEquals(listOf(token), client.tokens.list())
                assertFalse(client.tokens.deactivate(token.id).isActive)
                assertTrue(client.tokens.activate(token.id).isActive)
                Client(token = secret, baseUrl = sandbox.baseUrl).use { assertEquals(emptyList<String>(), it.ips.list()) }
                client.tokens.delete(token.id)

                client.subAccounts.delete("crawler-1")
                val error = assertThrows(NotFoundException::class.java) { runBlocking { client.subAccounts.get("crawler-1") } }
                assertEquals("sub_accounts.get", error.call)
            }
        }
    }

    @Test
    fun `the blocking client accepts and returns the types of the language`() = Sandbox().use { sandbox ->
        BlockingClient(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl).use { client ->
            val proxy = client.proxies.list().first()
            assertEquals(proxy.host, client.proxies.add(proxy))
            client.proxies.delete(proxy)
            assertTrue(client.geo.open().values.all { it >= 0 })
            assertTrue("US" in client.geo.world())

            val fields = SubAccountFields().password(SUB_PASSWORD).firstName("Zoë").lastName("O").email("z@ex.com")
            val made = client.subAccounts.create("crawler-1", fields.monthlyLimit(5).totalLimit(50))
            assertEquals(listOf(5L, 50L), listOf(made.monthlyBandwidthLimit, made.totalBandwidthLimit))
            val edited = client.subAccounts.edit("crawler-1", SubAccountFields().monthlyLimit(7))
            assertEquals("$made".replace("monthlyBandwidthLimit=5", "monthlyBandwidthLimit=7"), "$edited")
            assertEquals(8, client.subAccounts.edit("crawler-1", monthlyLimit = 8).monthlyBandwidthLimit)
            assertEquals("Zoë", client.subAccounts.get("crawler-1").firstName)
            assertFalse(client.subAccounts.deactivate("crawler-1").isActive)
            assertTrue(client.subAccounts.activate("crawler-1").isActive)

            assertEquals("203.0.113.7", client.ips.add("203.0.113.7", "office"))
            assertEquals(listOf(LabeledIp("203.0.113.7", "office")), client.ips.labels())
            assertEquals(listOf("203.0.113.7"), client.ips.list())
            client.ips.delete("203.0.113.7")

            assertEquals("a.example", client.hostnames.add("a.example"))
            assertEquals(listOf("a.example"), client.hostnames.list())
            client.hostnames.delete("a.example")

            val created = client.tokens.create("ci")
            val (token, secret) = created.token to created.secret
            assertTrue(secret.startsWith("pm_"))
            assertEquals(listOf(token), client.tokens.list())
            assertFalse(client.tokens.deactivate(token.id).isActive)
            assertTrue(client.tokens.activate(token.id).isActive)
            client.tokens.delete(token.id)
            client.subAccounts.delete("crawler-1")
        }
    }

    @Test
    fun `a call that is safe to repeat is retried`() = Sandbox().use { sandbox ->
        sandbox.fault("""{"kind": "status", "status": 429, "headers": {"Retry-After": "0"}, "path": "/api/proxies/"}""")
        BlockingClient(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl).use { it.proxies.list() }
        assertEquals(listOf("429", "200"), sandbox.requests().map { it.text("status") })
    }
}
