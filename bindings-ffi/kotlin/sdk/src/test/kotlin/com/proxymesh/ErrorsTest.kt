package com.proxymesh

import com.proxymesh.support.Options
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.TOKEN
import com.proxymesh.support.fields
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.ObjectInputStream
import java.io.ObjectOutputStream
import java.time.Duration
import kotlin.time.toKotlinDuration
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

/** One exception of each kind except InternalException, thrown by real code. The conformance cases cover the fields and texts. */
class ErrorsTest {
    private fun fail(reply: Reply, options: Options = Options(maxRetries = 0), act: (BlockingClient) -> Any): ProxyMeshException =
        Server(reply).use { server ->
            val client = with(options) {
                BlockingClient(username, password, token, server.baseUrl, timeout = timeout?.toKotlinDuration(), maxRetries = maxRetries)
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

    @Test
    fun `no exception has a cause, and all can be serialized`() {
        for (error in made()) {
            assertNull(error.cause)
            assertEquals("${error.javaClass.name}: ${error.message}", error.toString())
            val bytes = ByteArrayOutputStream().also { ObjectOutputStream(it).writeObject(error) }.toByteArray()
            val copy = ObjectInputStream(ByteArrayInputStream(bytes)).readObject() as ProxyMeshException
            assertEquals(error.toString(), copy.toString())
            assertEquals(error.fields(), copy.fields())
        }
    }
}
