package com.proxymesh

import com.proxymesh.support.Account
import com.proxymesh.support.BASIC
import com.proxymesh.support.Kind
import com.proxymesh.support.Options
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.TOKEN
import com.proxymesh.support.arguments
import com.proxymesh.support.maybeText
import com.proxymesh.support.rows
import com.proxymesh.support.short
import com.proxymesh.support.text
import java.net.URI
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/** What goes over the wire, and what comes of the answer: all 23 calls, by both clients, as `tests/tables/wire.json` says. */
class WireTest {
    private fun answer(row: JsonObject): Reply.Answer {
        val answer = row.getValue("answer").jsonObject
        val body = answer.getValue("body")
        return Reply.Answer(answer.getValue("status").jsonPrimitive.int, if (body is JsonNull) "" else body.toString())
    }

    private fun check(row: JsonObject, server: Server, account: Account, authorization: String) = runBlocking {
        val value = account.use { it.call(row.arguments()) }
        assertEquals(row["value"] ?: JsonNull, value, row.short())

        val request = server.requests.single()
        val expected = row.getValue("request").jsonObject
        assertEquals(expected.text("method"), request.method, row.short())
        assertEquals(expected.text("path"), request.path, row.short())
        assertEquals(expected.maybeText("query"), request.query, row.short())
        assertEquals(expected.maybeText("form").orEmpty(), request.form, row.short())
        val headers = mutableMapOf(
            "accept" to "application/json",
            "authorization" to authorization,
            "host" to URI(server.baseUrl).authority,
            "user-agent" to "proxymesh-kotlin/${System.getProperty("proxymesh.version")}",
        )
        if (request.method == "POST") {
            headers["content-type"] = "application/x-www-form-urlencoded"
            headers["content-length"] = request.form.toByteArray().size.toString()
        }
        assertEquals(headers, request.headers, "these headers and no others: ${row.short()}")
    }

    @Test
    fun `the table has every call`() = assertEquals(23, rows("wire").map { it.text("call") }.distinct().size)

    @ParameterizedTest
    @EnumSource
    fun `every call is sent, and its answer read, as the table says`(kind: Kind) {
        for (row in rows("wire")) {
            Server(answer(row)).use { check(row, it, kind.open(it.baseUrl), BASIC) }
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `a token goes as Bearer`(kind: Kind) {
        for (row in rows("wire").filterNot { it.text("call").startsWith("tokens.") }) {
            val options = Options(username = null, password = null, token = TOKEN)
            Server(answer(row)).use { check(row, it, kind.open(it.baseUrl, options), "Bearer $TOKEN") }
        }
    }
}
