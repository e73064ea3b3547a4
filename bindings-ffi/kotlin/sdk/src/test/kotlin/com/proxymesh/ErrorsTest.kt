package com.proxymesh

import com.proxymesh.support.Kind
import com.proxymesh.support.Options
import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.TOKEN
import com.proxymesh.support.USERNAME
import com.proxymesh.support.arguments
import com.proxymesh.support.fields
import com.proxymesh.support.kind
import com.proxymesh.support.rows
import com.proxymesh.support.short
import com.proxymesh.support.text
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.ObjectInputStream
import java.io.ObjectOutputStream
import java.time.Duration
import kotlin.math.ceil
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/** One of each kind as it really comes, with all its fields and its text. */
class ErrorsTest {
    private fun fail(reply: Reply, options: Options = Options(maxRetries = 0), act: (BlockingClient) -> Any): ProxyMeshException =
        Server(reply).use { server ->
            val client = with(options) {
                BlockingClient(username, password, token, server.baseUrl, timeout = timeout, maxRetries = maxRetries)
            }
            client.use { assertThrows(ProxyMeshException::class.java) { act(it) } }
        }

    private fun blocked(): ProxyMeshException = Server(Reply.Answer(401)).use { server ->
        fun client(password: String) = BlockingClient("x", password, baseUrl = server.baseUrl)
        for (wrong in listOf("wrong 1", "wrong 2", "wrong 3")) {
            assertThrows(AuthenticationException::class.java) { client(wrong).use { it.ips.list() } }
        }
        assertThrows(ProxyMeshException::class.java) { client("wrong 4").use { it.ips.list() } }
    }

    private fun status(code: Int, vararg headers: Pair<String, String>) =
        fail(Reply.Answer(code, """{"error": "no"}""", headers.toMap())) { it.ips.list() }

    private fun made(): List<ProxyMeshException> = listOf(
        assertThrows(ProxyMeshException::class.java) { Client("x", "y", baseUrl = "http://proxymesh.com") },
        fail(Reply.Answer(500)) { it.ips.add("nowhere") },
        fail(Reply.Answer(500), Options(username = null, password = null, token = TOKEN)) { it.tokens.list() },
        blocked(),
        status(401),
        fail(Reply.Answer(400, """{"email": ["Bad.", "Long."]}""")) { it.subAccounts.edit("x", email = "y") },
        status(402),
        status(403),
        status(404),
        status(429, "Retry-After" to "90"),
        status(503),
        status(302, "Location" to "/elsewhere"),
        fail(Reply.Hang, Options(maxRetries = 0, timeout = Duration.ofMillis(100))) { it.ips.list() },
        fail(Reply.Reset) { it.ips.list() },
        fail(Reply.Answer(200, "<html>")) { it.ips.list() },
        fail(Reply.Reset) { it.subAccounts.create("x") },
    )

    /** All that the exception holds, as the shared table writes it. */
    private fun held(error: ProxyMeshException): Map<String, Any?> = error.fields().plus("call" to error.call).entries.associate { (name, value) ->
        name.replace(Regex("[A-Z]")) { "_" + it.value.lowercase() } to if (value is Duration) value.toNanos() / 1e9 else value
    }

    private fun plain(value: JsonElement): Any? = when (value) {
        is JsonNull -> null
        is JsonObject -> value.mapValues { (_, inner) -> plain(inner) }
        is JsonArray -> value.map(::plain)
        is JsonPrimitive -> value.takeIf { it.isString }?.content ?: value.intOrNull ?: value.double
    }

    private fun fail(row: JsonObject, account: Kind, server: Server): ProxyMeshException {
        val given = row["client"]?.jsonObject.orEmpty()
        check(setOf("base_url", "token", "timeout").containsAll(given.keys)) { row }
        val token = given["token"]?.jsonPrimitive?.content
        fun options(password: String?) = Options(
            username = USERNAME.takeIf { token == null },
            password = password.takeIf { token == null },
            token = token,
            timeout = given["timeout"]?.let { Duration.ofNanos((it.jsonPrimitive.double * 1e9).toLong()) },
            maxRetries = 0,
        )
        val baseUrl = given["base_url"]?.jsonPrimitive?.content ?: server.baseUrl
        fun act(password: String): ProxyMeshException = assertThrows(ProxyMeshException::class.java, {
            account.open(baseUrl, options(password)).use { runBlocking { it.call(row.arguments()) } }
        }, row.short())
        repeat(row["failed_before"]?.jsonPrimitive?.int ?: 0) { assertTrue(act("wrong $it") is AuthenticationException) }
        return act(PASSWORD)
    }

    private fun reply(answer: JsonObject?): Reply = when {
        answer == null || "close" in answer -> Reply.Close
        "hang" in answer -> Reply.Hang
        else -> Reply.Answer(
            answer.getValue("status").jsonPrimitive.int,
            answer.text("body"),
            answer["headers"]?.jsonObject.orEmpty().mapValues { (_, value) -> value.jsonPrimitive.content },
        )
    }

    @ParameterizedTest
    @EnumSource
    fun `every kind has its fields and its text, as in every other language`(account: Kind) {
        val rows = rows("errors")
        for (row in rows) {
            val expected = row.getValue("error").jsonObject
            val error = Server(reply(row["answer"]?.jsonObject)).use { fail(row, account, it) }
            var text = expected.text("text")
            var held = held(error)
            // A wait that goes by while the test runs.
            ((plain(expected.getValue("fields").jsonObject["retry_after"] ?: JsonNull) as? Map<*, *>)?.get("about") as Int?)?.let { most ->
                val wait = held["retry_after"] as Double
                assertTrue(wait > most - 60 && wait <= most, "$wait")
                text = text.replace("{retry_after}", "${ceil(wait).toInt()}")
                held = held + ("retry_after" to mapOf("about" to most))
            }
            val wanted = (plain(expected.getValue("fields")) as Map<*, *>)
            assertEquals(listOf(expected.text("kind"), wanted, text), listOf(error.kind(), held, error.message))
            assertEquals("com.proxymesh.${error.kind()}Exception: $text", error.toString())
        }
        assertEquals(16, rows.map { it.getValue("error").jsonObject.text("kind") }.toSet().size)
    }

    @Test
    fun `no exception tells of the plumbing, and all can be serialized`() {
        for (error in made()) {
            assertNull(error.cause)
            val bytes = ByteArrayOutputStream().also { ObjectOutputStream(it).writeObject(error) }.toByteArray()
            val copy = ObjectInputStream(ByteArrayInputStream(bytes)).readObject() as ProxyMeshException
            assertEquals(error.toString(), copy.toString())
            assertEquals(error.fields(), copy.fields())
        }
    }

    @Test
    fun `both clients fail alike`() = kotlinx.coroutines.runBlocking {
        val texts = Kind.entries.map { kind ->
            Server(Reply.Answer(429, """{"error": "slowly"}""", mapOf("Retry-After" to "61"))).use { server ->
                kind.open(server.baseUrl).use { account ->
                    val list = com.proxymesh.support.Arguments("ips.list", kotlinx.serialization.json.JsonObject(emptyMap()))
                    runCatching { account.call(list) }.exceptionOrNull().toString()
                }
            }
        }
        assertEquals(List(2) { "com.proxymesh.RateLimitedException: ips.list: too many requests (429): slowly; the service asks you to wait 61 s" }, texts)
    }
}
