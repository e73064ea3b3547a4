package com.proxymesh

import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.text
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

/** Text that only the JVM allows. The conformance cases cover the rules for input. */
class InputsTest {
    @Test
    fun `text that is not valid Unicode is rejected and not shown`() = Server(Reply.Answer(404)).use { server ->
        val secret = "canary-password-7f3a91\ud800"
        val errors = BlockingClient("x", "y", baseUrl = server.baseUrl).use { client ->
            listOf(
                assertThrows(ValidationException::class.java) { client.ips.list("\udfff") },
                assertThrows(ValidationException::class.java) { client.subAccounts.create("x", password = secret) },
                assertThrows(ValidationException::class.java) { BlockingClient("x", secret) },
                assertThrows(ValidationException::class.java) { Client("x", secret) },
                assertThrows(ValidationException::class.java) { ProxyServer("us-ca.example").url("x", secret) },
            )
        }
        for (error in errors) {
            assertEquals("text: contains a lone surrogate, which is not a valid character", error.message)
            assertFalse("canary" in error.stackTraceToString())
        }
        assertEquals(0, server.connections.get())
    }
}
