package com.proxymesh

import com.proxymesh.support.Kind
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.arguments
import com.proxymesh.support.rows
import com.proxymesh.support.short
import com.proxymesh.support.text
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/** Bad input is refused before anything is sent, with the field and the rule; at the limit of the rules it is let through. */
class InputsTest {
    @ParameterizedTest
    @EnumSource
    fun `bad input is refused as the table says`(kind: Kind) = Server(Reply.Answer(404)).use { server ->
        kind.open(server.baseUrl).use { account ->
            val rows = rows("bad_inputs")
            assertTrue(rows.size >= 80)
            for (row in rows) {
                val error = assertThrows(ValidationException::class.java, { runBlocking { account.call(row.arguments()) } }, row.short())
                assertEquals(row.text("field") to row.text("reason"), error.field to error.reason, row.short())
                assertEquals("${error.field}: ${error.reason}", error.message)
                assertNull(error.call)
                assertTrue(error.message!!.length < 200, "a huge input is not quoted")
            }
        }
        assertEquals(0, server.connections.get())
    }

    @ParameterizedTest
    @EnumSource
    fun `input at the limit is let through`(kind: Kind) = Server(Reply.Answer(404)).use { server ->
        kind.open(server.baseUrl).use { account ->
            for ((before, row) in rows("good_inputs").withIndex()) {
                assertThrows(NotFoundException::class.java, { runBlocking { account.call(row.arguments()) } }, row.short())
                assertEquals(before + 1, server.requests.size, row.short())
            }
        }
    }

    @Test
    fun `text that is no Unicode is refused, and not shown`() = Server(Reply.Answer(404)).use { server ->
        val secret = "canary-password-7f3a91\ud800"
        val errors = BlockingClient("x", "y", baseUrl = server.baseUrl).use { client ->
            listOf(
                assertThrows(ValidationException::class.java) { client.ips.list("\udfff") },
                assertThrows(ValidationException::class.java) { client.subAccounts.create("x", password = secret) },
                assertThrows(ValidationException::class.java) { BlockingClient("x", secret) },
                assertThrows(ValidationException::class.java) { Client("x", secret) },
                assertThrows(ValidationException::class.java) { Proxy("us-ca.example").url("x", secret) },
            )
        }
        for (error in errors) {
            assertEquals("text: contains a lone surrogate, which is not a valid character", error.message)
            assertFalse("canary" in error.stackTraceToString())
        }
        assertEquals(0, server.connections.get())
    }
}
