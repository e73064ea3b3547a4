package com.proxymesh.support

import com.proxymesh.BlockingClient
import com.proxymesh.ExitChoice
import com.proxymesh.ProxyServer
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/** A password that is hard to encode, for [USERNAME]. */
const val HARD_PASSWORD = "@:/% é+ß"

/** [USERNAME] and [HARD_PASSWORD] in UTF-8 and base64. Another program computed it. */
private const val HARD_BASIC = "bWUrMUBleC5jb206QDovJSDDqSvDnw=="

/** One of the exit IPs of the sandbox's proxy `open`. */
private const val EXIT = "198.18.3.5"

/** A fault: the proxy does not have the exit IP 192.0.2.7, and does not say which one it used. */
const val NOT_FOUND = """{"kind": "status", "status": 200, "proxy": "open", "headers": {"X-ProxyMesh-IP-Not-Found": "192.0.2.7"}}"""

/** How a proxy recognises the account, and what the sandbox then records as the kind of credentials. */
enum class Access(val recorded: String) { PASSWORD("basic"), TOKEN("bearer"), AUTHORISED_IP("none") }

/** An exit choice, and the header that tells the proxy. */
enum class Wish(val choice: ExitChoice, val header: Pair<String, String>?) {
    PLAIN(ExitChoice(), null),
    COUNTRY(ExitChoice(country = "DE"), "x-proxymesh-country" to "DE"),
    EXIT_IP(ExitChoice(preferIp = EXIT), "x-proxymesh-prefer-ip" to EXIT),
}

/** An account with a hard password, its proxy `open`, and a site. */
class Proxied : AutoCloseable {
    val sandbox = Sandbox("--proxies", password = HARD_PASSWORD)
    val site = Site()
    private val client = BlockingClient(USERNAME, HARD_PASSWORD, baseUrl = sandbox.baseUrl)

    /** Has exit IPs in many countries, and no credentials. */
    val open: ProxyServer = added("open")

    val withPassword: ProxyServer = open.using(USERNAME, HARD_PASSWORD)

    /** A proxy of the account, which is added to it. */
    fun added(name: String): ProxyServer = client.proxies.run {
        add(name)
        list().single { it.name == name }
    }

    fun authoriseThisMachine() = listOf("127.0.0.1", "::1").forEach { client.ips.add(it) }

    fun using(access: Access): ProxyServer = when (access) {
        Access.PASSWORD -> withPassword
        Access.TOKEN -> open.usingToken(client.tokens.create().secret)
        Access.AUTHORISED_IP -> open.also { authoriseThisMachine() }
    }

    /** Asserts that the site got nothing that is for the proxy, and returns what it got. */
    fun cleanlySeen(): List<Seen> = site.seen().onEach { seen ->
        for ((name, value) in seen.headers) {
            assertTrue(!name.startsWith("proxy-") && !name.startsWith("x-proxymesh") && name != "authorization", name)
            assertTrue(listOf(HARD_PASSWORD, HARD_BASIC, USERNAME, "pm_").none { it in value }, name)
        }
    }

    /**
     * Calls `fetch` for each kind of credentials, each exit choice and each scheme. Asserts that the proxy got one request, with what it
     * needs, and the site got one without it. `fetch` returns the status and the exit IP that the library shows.
     */
    fun assertEachKindOfAccess(showsExitOnHttps: Boolean, fetch: (ProxyServer, String) -> Pair<Int, String?>) {
        for (access in Access.entries) {
            val proxy = using(access)
            for (wish in Wish.entries) for (scheme in listOf("http", "https")) {
                val cell = "$access, $wish, $scheme"
                val (status, exit) = fetch(proxy.steer(wish.choice), site.url(scheme))
                assertEquals(200, status, cell)
                assertEquals(listOf(scheme), cleanlySeen().map { it.scheme }, cell)
                val request = sandbox.proxied().single()
                assertEquals(if (scheme == "https") "CONNECT" else "GET", request.text("method"), cell)
                // The sandbox knows the account only by a correct password, a valid token or an authorised IP.
                assertEquals(USERNAME, request.text("account"), cell)
                assertEquals(access.recorded, request.kindOfCredentials(), cell)
                assertEquals(listOfNotNull(wish.header), request.steering(), cell)
                if (wish == Wish.COUNTRY) assertEquals("DE", request.text("country"), cell)
                if (wish == Wish.EXIT_IP) assertEquals(EXIT, request.text("exit_ip"), cell)
                assertEquals(if (scheme == "http" || showsExitOnHttps) request.text("exit_ip") else null, exit, cell)
            }
        }
    }

    override fun close() {
        client.close()
        site.close()
        sandbox.close()
    }
}

/** The kind of credentials in a proxied request, as the sandbox names it. */
fun JsonObject.kindOfCredentials(): String = getValue("auth").jsonObject.text("kind")

/** The headers of a proxied request that choose the exit. */
fun JsonObject.steering(): List<Pair<String, String>> = getValue("headers").jsonArray
    .map { (name, value) -> name.jsonPrimitive.content to value.jsonPrimitive.content }
    .filter { (name, _) -> name.startsWith("x-proxymesh") }

private operator fun JsonElement.component1(): JsonElement = jsonArray[0]

private operator fun JsonElement.component2(): JsonElement = jsonArray[1]
