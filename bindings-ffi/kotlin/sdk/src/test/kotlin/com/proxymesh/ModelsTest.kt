package com.proxymesh

import com.proxymesh.support.PASSWORD
import com.proxymesh.support.TOKEN
import java.time.Instant
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

class ModelsTest {
    @Test
    fun `a proxy has a name, a URL, and a URL with credentials`() {
        val proxy = ProxyServer("us-ca.proxymesh.com")
        assertEquals("us-ca", proxy.name)
        assertEquals(31280, proxy.port)
        assertEquals("us-ca.proxymesh.com:31280", proxy.toString())
        assertEquals("http://us-ca.proxymesh.com:31280", proxy.url())
        assertEquals(proxy.url(), proxy.plainUrl)
        assertEquals("http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280", proxy.url("me@ex.com", "a b"))
        assertEquals(proxy, ProxyServer("us-ca.proxymesh.com", 31280))
        assertEquals(proxy.hashCode(), ProxyServer("us-ca.proxymesh.com", 31280).hashCode())
        assertNotEquals(proxy, ProxyServer("us-ca.proxymesh.com", 1))
    }

    @Test
    fun `the host may include the port, as the service writes it`() {
        assertEquals(ProxyServer("us-ca.proxymesh.com", 31280), ProxyServer("us-ca.proxymesh.com:31280"))
        assertEquals(ProxyServer("us-ca.proxymesh.com", 8080), ProxyServer("us-ca.proxymesh.com:8080", 8080))
        val error = assertThrows(ValidationException::class.java) { ProxyServer("us-ca.proxymesh.com:8080", 31280) }
        assertEquals("proxy: the host includes port 8080, but the port given is 31280; give only one of them", error.message)
    }

    @Test
    fun `Java can create a proxy with and without a port`() {
        val made = ProxyServer::class.java.getConstructor(String::class.java).newInstance("us-ca.proxymesh.com:31280")
        val withPort = ProxyServer::class.java.getConstructor(String::class.java, Int::class.java)
        assertEquals(made, withPort.newInstance("us-ca.proxymesh.com", 31280))
    }

    @Test
    fun `the core rejects an invalid proxy`() {
        for ((host, port) in listOf("" to 1, "a b" to 1, "x.example" to 0, "x.example" to -1, "x.example" to 65536)) {
            assertEquals("proxy", assertThrows(ValidationException::class.java) { ProxyServer(host, port) }.field)
        }
    }

    @Test
    fun `a proxy has a country if its name contains one`() {
        for ((name, country) in listOf("us-ca" to "US", "uk" to "GB", "open" to null, "world" to null, "usisp" to null)) {
            val proxy = ProxyServer("$name.proxymesh.com")
            assertEquals(country, proxy.country)
            assertEquals(name in setOf("open", "world"), proxy.choosesCountry)
        }
    }

    @Test
    fun `the headers for a proxy contain the credentials in UTF-8 and the exit choice`() {
        val open = ProxyServer("open.proxymesh.com")
        val basic = mapOf("Proxy-Authorization" to "Basic bWUrMUBleC5jb206QDovJSDDqQ==")
        val exit = ExitChoice(country = "de", preferIp = "1.2.3.4", notIps = listOf("5.6.7.8", "0:0:0:0:0:0:0:1"))
        val asked = mapOf(
            "X-ProxyMesh-Country" to "DE",
            "X-ProxyMesh-Prefer-IP" to "1.2.3.4",
            "X-ProxyMesh-Not-IP" to "5.6.7.8,::1",
        )
        val token = mapOf("Proxy-Authorization" to "Bearer pm_token")
        assertEquals(basic, open.using("me+1@ex.com", "@:/% é").headers())
        assertEquals(basic + asked, open.steer(exit).using("me+1@ex.com", "@:/% é").headers())
        assertEquals(token, open.usingToken("pm_token").headers())
        assertEquals(token + asked, open.usingToken("pm_token").steer(exit).headers())
        assertEquals(emptyMap<String, String>(), open.headers())
        assertEquals(asked, open.steer(exit).headers())
        assertEquals(listOf("Proxy-Authorization") + asked.keys.sorted(), open.usingToken("pm_token").steer(exit).headers().keys.toList())
    }

    @Test
    fun `a proxy keeps its credentials and its exit choice, and shows no secret`() {
        val open = ProxyServer("open.proxymesh.com")
        val germany = ExitChoice(country = "DE")
        val proxy = open.using("me@ex.com", PASSWORD).steer(germany)
        assertEquals("http://me%40ex.com:$PASSWORD@open.proxymesh.com:31280", proxy.url())
        assertEquals("http://open.proxymesh.com:31280", proxy.plainUrl)
        assertEquals(germany, proxy.exitChoice)
        assertEquals("open.proxymesh.com:31280", proxy.toString())
        assertEquals(proxy, open.steer(germany).using("me@ex.com", PASSWORD))
        assertEquals(proxy.hashCode(), open.steer(germany).using("me@ex.com", PASSWORD).hashCode())
        assertNotEquals(proxy, open.steer(germany).using("me@ex.com", "other"))
        assertNotEquals(proxy, open.using("me@ex.com", PASSWORD))
        assertEquals(open.steer(germany), proxy.withoutCredentials())
        assertEquals(open, proxy.withoutCredentials().steer(ExitChoice()))
        val withToken = open.usingToken(TOKEN)
        val error = assertThrows(ValidationException::class.java) { withToken.url() }
        assertEquals("token", error.field)
        for (text in listOf(withToken.toString(), error.stackTraceToString(), proxy.toString())) {
            for (secret in listOf(PASSWORD, TOKEN)) assertFalse(secret in text)
        }
    }

    @Test
    fun `a proxy can use the credentials of any client`() {
        val proxy = ProxyServer("us-ca.proxymesh.com")
        val expected = proxy.using("me@ex.com", PASSWORD)
        Client("me@ex.com", PASSWORD).use { assertEquals(expected, proxy.using(it)) }
        AsyncClient("me@ex.com", PASSWORD).use { assertEquals(expected, proxy.using(it)) }
        val client = BlockingClient("me@ex.com", PASSWORD)
        client.use { assertEquals(expected, proxy.using(it)) }
        assertThrows(ConfigException::class.java) { proxy.using(client) }
        BlockingClient(token = TOKEN).use { assertEquals(proxy.usingToken(TOKEN), proxy.using(it)) }
    }

    @Test
    fun `a country that the proxy cannot choose is rejected`() {
        val germany = ExitChoice(country = "DE")
        val error = assertThrows(ValidationException::class.java) { ProxyServer("us-ca.proxymesh.com").steer(germany) }
        assertEquals("country: the proxy us-ca cannot choose the country DE; open and world can", error.message)
        assertEquals("country" to "the proxy us-ca cannot choose the country DE; open and world can", error.field to error.reason)
        assertEquals(emptyMap<String, String>(), ProxyServer("de.proxymesh.com").steer(germany).headers())
    }

    @Test
    fun `the core rejects an invalid exit choice when it is created`() {
        fun refused(field: String, choice: () -> ExitChoice) =
            assertEquals(field, assertThrows(ValidationException::class.java, { choice() }).field)
        for (country in listOf("", "D", "DEU", "D1", "ÄÖ")) {
            refused("country") { ExitChoice(country) }
            refused("country") { ExitChoice().withCountry(country) }
        }
        for (ip in listOf("", "x", "1.2.3", "1.2.3.4:80")) {
            refused("prefer_ip") { ExitChoice(preferIp = ip) }
            refused("not_ip") { ExitChoice(notIps = listOf("1.2.3.4", ip)) }
            refused("not_ip") { ExitChoice().withNotIps(ip) }
        }
        refused("text") { ExitChoice("\udfff") }
    }

    @Test
    fun `an exit choice compares and prints in the core's spelling`() {
        val exit = ExitChoice().withCountry("de").withPreferIp("1.2.3.4").withNotIps("5.6.7.8", "0:0:0:0:0:0:0:1")
        assertEquals(ExitChoice("DE", "1.2.3.4", listOf("5.6.7.8", "::1")), exit)
        assertEquals(ExitChoice("DE", "1.2.3.4", listOf("5.6.7.8", "::1")).hashCode(), exit.hashCode())
        assertNotEquals(ExitChoice("DE"), exit)
        assertEquals("ExitChoice(country=DE, preferIp=1.2.3.4, notIps=[5.6.7.8, ::1], holdIp=null)", exit.toString())
        assertEquals(Triple(null, null, emptyList<String>()), ExitChoice().run { Triple(country, preferIp, notIps) })
    }

    @Test
    fun `invalid credentials are rejected and not shown`() {
        val proxy = ProxyServer("open.proxymesh.com")
        val errors = listOf(
            assertThrows(ConfigException::class.java) { proxy.using("", PASSWORD) },
            assertThrows(ConfigException::class.java) { proxy.using("a:$PASSWORD", PASSWORD) },
            assertThrows(ConfigException::class.java) { proxy.using("me@ex.com", "") },
            assertThrows(ConfigException::class.java) { proxy.using("me@ex.com", "$PASSWORD\n") },
            assertThrows(ConfigException::class.java) { proxy.usingToken("$TOKEN:") },
            assertThrows(ValidationException::class.java) { proxy.using("me@ex.com", "$PASSWORD\udfff") },
            assertThrows(ValidationException::class.java) { proxy.usingToken("$TOKEN\udfff") },
        )
        for (error in errors) for (secret in listOf(PASSWORD, TOKEN)) assertFalse(secret in error.stackTraceToString())
        assertEquals("the password must not contain control characters", errors[3].message)
        assertEquals("the token contains a character that is not allowed in a token (RFC 6750)", errors[4].message)
    }

    @Test
    fun `values compare and print`() {
        val time = Instant.parse("2026-01-02T03:04:05Z")
        fun token(label: String) = Token(7, label, true, null, time)
        fun account(email: String?) = SubAccount("crawler-1", true, 1.5, 2.5, 7, 0, null, null, email)
        for ((one, same, other) in listOf(
            List(2) { LabeledIp("203.0.113.7", "office") } + LabeledIp("203.0.113.7", ""),
            List(2) { token("ci") } + token(""),
            List(2) { account("z@ex.com") } + account(null),
            List(2) { NewToken(token("ci"), TOKEN) } + NewToken(token("ci"), "pm_other"),
        )) {
            assertEquals(one, same)
            assertEquals(one.hashCode(), same.hashCode())
            assertNotEquals(one, other)
        }
        assertEquals("LabeledIp(ip=203.0.113.7, label=office)", LabeledIp("203.0.113.7", "office").toString())
        val printed = "Token(id=7, label=ci, isActive=true, expiresAt=null, createdAt=2026-01-02T03:04:05Z)"
        assertEquals(printed, token("ci").toString())
        assertEquals("NewToken(token=$printed, secret=[redacted])", NewToken(token("ci"), TOKEN).toString())
        assertEquals(
            "SubAccount(username=crawler-1, isActive=true, monthlyBandwidth=1.5, totalBandwidth=2.5, monthlyBandwidthLimit=7, " +
                "totalBandwidthLimit=0, firstName=null, lastName=null, email=z@ex.com)",
            account("z@ex.com").toString(),
        )
    }
}
