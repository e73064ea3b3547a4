package com.proxymesh

import com.proxymesh.support.Kind
import com.proxymesh.support.Options
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.TOKEN
import com.proxymesh.support.fields
import com.proxymesh.support.kind
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.ObjectInputStream
import java.io.ObjectOutputStream
import java.time.Duration
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

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

    private fun said(status: Int, retryAfter: Duration? = null) = mapOf(
        "status" to status,
        "reason" to "no",
        "fieldErrors" to emptyMap<String, List<String>>(),
        "body" to """{"error": "no"}""",
        "retryAfter" to retryAfter,
        "attempts" to 1,
    )

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
    fun `every kind has its fields and its text`() {
        val errors = made().associateBy { it.kind() }
        fun check(kind: String, call: String?, text: String, vararg fields: Pair<String, Any?>) {
            val error = errors.getValue(kind)
            assertEquals(text, error.message)
            assertEquals("com.proxymesh.${kind}Exception: $text", error.toString())
            assertEquals(call, error.call)
            assertEquals(mapOf(*fields), error.fields())
        }
        fun checkStatus(kind: String, status: Int, text: String, retryAfter: Duration? = null) =
            check(kind, "ips.list", "ips.list: $text", *said(status, retryAfter).toList().toTypedArray())

        val plain = "base_url is plain http to a host that is not loopback, which would show the credentials to the network; use https"
        check("Config", null, plain, "reason" to plain)
        val noIp = errors.getValue("Validation").fields()["reason"] as String
        check("Validation", null, "ip: $noIp", "field" to "ip", "reason" to noIp)
        check(
            "BasicAuthRequired", "tokens.list",
            "tokens.list takes the account's username and password, never a token: use a client made with both",
        )
        val wait = (errors.getValue("AuthenticationBlocked") as AuthenticationBlockedException).retryAfter
        assertTrue(wait > Duration.ofMinutes(4) && wait <= Duration.ofMinutes(5), "$wait")
        check(
            "AuthenticationBlocked", "ips.list",
            "ips.list was not sent: too many authentications have failed, or got no answer (four failures ban the account " +
                "for 3 hours); correct the credentials, or wait ${wait.plusNanos(999_999_999).seconds} s",
            "retryAfter" to wait,
        )
        checkStatus(
            "Authentication", 401,
            "authentication failed (401): no; correct the credentials before trying again, four failures ban the account for 3 hours",
        )
        val bad = errors.getValue("BadRequest")
        assertEquals("sub_accounts.edit", bad.call)
        assertEquals(mapOf("email" to listOf("Bad.", "Long.")), bad.fields()["fieldErrors"])
        assertTrue(bad.message!!.startsWith("sub_accounts.edit: bad request (400): "))
        checkStatus("PlanLimit", 402, "the plan does not allow it (402): no")
        checkStatus("PermissionDenied", 403, "permission denied (403): no")
        checkStatus("NotFound", 404, "not found (404): no")
        checkStatus("RateLimited", 429, "too many requests (429): no; the service asks to wait 90 s", Duration.ofSeconds(90))
        checkStatus("Server", 503, "the service is in trouble (503): no")
        val redirected = errors.getValue("UnexpectedStatus") as StatusException
        assertEquals(302, redirected.status)
        assertEquals("ips.list: redirected, which is never followed (302): ${redirected.reason}", redirected.message)
        val late = errors.getValue("Timeout") as TimeoutException
        check("Timeout", "ips.list", "ips.list: no answer in time: ${late.reason}", "reason" to late.reason, "attempts" to 1)
        val lost = errors.getValue("Connection") as ConnectionException
        check("Connection", "ips.list", "ips.list: connection failed: ${lost.reason}", "reason" to lost.reason, "attempts" to 1)
        val odd = errors.getValue("Decode") as DecodeException
        check(
            "Decode", "ips.list", "ips.list: the answer (200) cannot be read: ${odd.reason}",
            "status" to 200, "reason" to odd.reason, "body" to "<html>",
        )
        val unknown = errors.getValue("OutcomeUnknown") as OutcomeUnknownException
        check(
            "OutcomeUnknown", "sub_accounts.create",
            "sub_accounts.create: ${unknown.reason}, so it may or may not have been carried out; ${unknown.advice}",
            "reason" to unknown.reason, "advice" to unknown.advice,
        )
        assertEquals(16, errors.size)
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
        assertEquals(List(2) { "com.proxymesh.RateLimitedException: ips.list: too many requests (429): slowly; the service asks to wait 61 s" }, texts)
    }
}
