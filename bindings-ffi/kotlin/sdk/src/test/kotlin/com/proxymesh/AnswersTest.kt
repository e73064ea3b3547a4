package com.proxymesh

import com.proxymesh.support.Kind
import com.proxymesh.support.Options
import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.arguments
import com.proxymesh.support.fields
import com.proxymesh.support.kind
import com.proxymesh.support.maybeText
import com.proxymesh.support.rows
import com.proxymesh.support.short
import com.proxymesh.support.text
import com.proxymesh.support.written
import java.time.Duration
import java.util.Base64
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/** What a bad answer becomes: kind, fields and text, as `tests/tables/bad_answers.json` says. */
class AnswersTest {
    private fun answer(row: JsonObject, elsewhere: Server): Reply.Answer {
        val given = row.getValue("answer").jsonObject
        fun filled(text: String) = text.replace("{elsewhere}", elsewhere.baseUrl).replace("{password}", PASSWORD)
        val bodies = listOfNotNull(
            given.maybeText("body").takeIf { "body" in given }?.let { filled(it).toByteArray() },
            given["body_base64"]?.let { Base64.getDecoder().decode(it.jsonPrimitive.content) },
            given["body_repeat"]?.let { written(JsonObject(mapOf("repeat" to it))).toByteArray() },
        )
        return Reply.Answer(
            given.getValue("status").jsonPrimitive.int,
            bodies.single(),
            given["headers"]?.jsonObject.orEmpty().mapValues { (_, value) -> filled(value.jsonPrimitive.content) },
            truncate = "truncate" in given,
            chunked = "chunked" in given,
        )
    }

    private fun check(row: JsonObject, error: ProxyMeshException, server: Server, elsewhere: Server) {
        val expected = row.getValue("error").jsonObject
        val known = setOf("kind", "status", "reason", "field_errors", "retry_after", "body", "text", "requests")
        assertTrue(known.containsAll(expected.keys), row.short())
        val fields = error.fields()
        assertEquals(expected.text("kind"), error.kind(), row.short())
        assertEquals(row.text("call"), error.call, row.short())
        assertEquals(expected["status"]?.jsonPrimitive?.int, fields["status"], row.short())
        expected["reason"]?.let { assertEquals(it.jsonPrimitive.content, fields["reason"], row.short()) }
        expected["field_errors"]?.let { errors ->
            val lists = errors.jsonObject.mapValues { (_, list) -> list.jsonArray.map { it.jsonPrimitive.content } }
            assertEquals(lists, fields["fieldErrors"], row.short())
        }
        expected["retry_after"]?.let {
            assertEquals(it.jsonPrimitive.content.toLongOrNull()?.let(Duration::ofSeconds), fields["retryAfter"], row.short())
        }
        expected["body"]?.let { assertEquals(written(it), fields["body"], row.short()) }
        expected["text"]?.let { assertEquals(it.jsonPrimitive.content, error.message) }
        assertTrue((fields["body"] as String?).orEmpty().toByteArray().size <= 4096, row.short())
        assertTrue(error.message!!.length < 1024)
        assertEquals(expected["requests"]?.jsonPrimitive?.int ?: 1, server.requests.size, row.short())
        assertEquals(0, elsewhere.connections.get(), "a redirect was followed: ${row.short()}")
    }

    @ParameterizedTest
    @EnumSource
    fun `every bad answer becomes the error that the table says`(kind: Kind) = Server(Reply.Answer(200, "{}")).use { elsewhere ->
        val rows = rows("bad_answers")
        assertTrue(rows.size >= 25)
        for (row in rows) {
            Server(answer(row, elsewhere)).use { server ->
                kind.open(server.baseUrl, Options(maxRetries = 0)).use { account ->
                    val call = { runBlocking { account.call(row.arguments()) } }
                    val error = assertThrows(ProxyMeshException::class.java, { call() }, row.short())
                    check(row, error, server, elsewhere)
                }
            }
        }
    }
}
