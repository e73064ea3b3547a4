package com.proxymesh.apache

import com.proxymesh.ExitChoice
import com.proxymesh.ExitLostException
import com.proxymesh.ProxyServer
import com.proxymesh.support.HARD_PASSWORD
import com.proxymesh.support.NOT_FOUND
import com.proxymesh.support.Ports
import com.proxymesh.support.Proxied
import com.proxymesh.support.Seen
import com.proxymesh.support.Site
import com.proxymesh.support.USERNAME
import com.proxymesh.support.text
import java.io.IOException
import java.net.InetAddress
import java.net.ProxySelector
import org.apache.hc.client5.http.ClientProtocolException
import org.apache.hc.client5.http.DnsResolver
import org.apache.hc.client5.http.auth.AuthScope
import org.apache.hc.client5.http.auth.UsernamePasswordCredentials
import org.apache.hc.client5.http.config.RequestConfig
import org.apache.hc.client5.http.impl.auth.BasicCredentialsProvider
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder
import org.apache.hc.client5.http.protocol.HttpClientContext
import org.apache.hc.core5.http.HttpHost
import org.apache.hc.core5.http.HttpRequestInterceptor
import org.apache.hc.core5.http.HttpResponseInterceptor
import org.apache.hc.core5.http.impl.io.HttpRequestExecutor
import org.apache.hc.core5.util.VersionInfo
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance

/** Apache HttpClient fetches pages through the sandbox's proxies. The tests look at what the proxy got, and at what the site got. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ApacheTest {
    private val proxied = Proxied()
    private val site = proxied.site
    private val german = proxied.withPassword.steer(ExitChoice(country = "DE"))

    @BeforeEach
    fun forget() {
        proxied.sandbox.proxied()
        site.seen()
    }

    @AfterAll
    fun close() = proxied.close()

    private fun client(proxy: ProxyServer = german, change: HttpClientBuilder.() -> Unit = {}) =
        trusting().apply(change).proxyMesh(proxy).build()

    private fun statuses() = proxied.sandbox.proxied().map { it.text("status") }

    @Test
    fun `the version of HttpClient is the one to test`() {
        val version = VersionInfo.loadVersionInfo("org.apache.hc.client5", javaClass.classLoader).release
        assertEquals(System.getProperty("library.version"), version)
    }

    @Test
    fun `the proxy gets everything and the site gets nothing`() = Proxied().use { own ->
        own.assertEachKindOfAccess(showsExitOnHttps = true) { proxy, url ->
            trusting().proxyMesh(proxy).build().use { it.fetch(url).run { status to exitIp } }
        }
    }

    @Test
    fun `a refused password is sent once, whatever other credentials there are`() {
        val twoAddresses = object : DnsResolver {
            override fun resolve(host: String) = Array(2) { InetAddress.getByAddress("proxy$it", byteArrayOf(127, 0, 0, 1)) }

            override fun resolveCanonicalHostname(host: String) = host
        }
        val others = BasicCredentialsProvider().apply {
            setCredentials(AuthScope(null, -1), UsernamePasswordCredentials("other", "canary".toCharArray()))
        }
        for (proxy in listOf(german.using(USERNAME, "wrong"), proxied.open)) {
            val isWithout = proxy == proxied.open
            val reason = if (isWithout) "No Proxy-Authorization header, and 127.0.0.1 is not an authorised IP." else "Wrong username or password."
            trusting(twoAddresses).setDefaultCredentialsProvider(others).proxyMesh(proxy).build().use { client ->
                for (scheme in listOf("http", "https")) {
                    val response = client.fetch(site.url(scheme))
                    assertEquals(407 to reason, response.status to response.error)
                    assertEquals(listOf("407"), statuses())
                }
            }
        }
        assertEquals(0, site.seen().size)
    }

    @Test
    fun `any refusal of a tunnel is the response`(): Unit = client().use { client ->
        proxied.sandbox.fault("""{"kind": "status", "status": 402, "headers": {"X-ProxyMesh-Error": "no"}, "proxy": "open"}""")
        val response = client.fetch(site.url("https"))
        assertEquals(402 to "no", response.status to response.error)
        assertEquals(200, client.fetch(site.url("https")).status)
        assertEquals(1, proxied.cleanlySeen().size)
    }

    @Test
    fun `redirects between http and https tell each end only what it may know`() {
        for ((from, to) in listOf("http" to "https", "https" to "http", "http" to "http", "https" to "https")) {
            for (host in listOf("site.test", "other.test")) for (proxy in listOf(german, german.rotating())) {
                val cell = "$from to $to of $host, ${proxy.isRotating}"
                client(proxy).use { assertEquals(200, it.fetch(site.redirect(from, site.url(to, host))).status, cell) }
                assertEquals(listOf(from, to), proxied.cleanlySeen().map { it.scheme }, cell)
                val requests = proxied.sandbox.proxied()
                assertTrue(requests.all { it.text("country") == "DE" && it.text("account") == USERNAME }, cell)
                val isKept = from == "https" && to == "https" && host == "site.test" && !proxy.isRotating
                assertEquals(if (isKept) 1 else 2, requests.size, cell)
            }
        }
    }

    @Test
    fun `a site that answers 407 gets no credentials, and an https site cannot name an exit IP`(): Unit = client().use { client ->
        for (scheme in listOf("http", "https")) {
            assertEquals(407, client.fetch(site.url(scheme) + "407?Proxy-Authenticate=Basic%20realm=x").status)
            assertEquals(1, proxied.cleanlySeen().size)
            assertEquals(1, proxied.sandbox.proxied().size)
        }
        assertEquals(200, client.fetch(site.url("https")).status)
        val page = site.url("https") + "200?"
        assertTrue(client.fetch(page + "X-ProxyMesh-IP=192.0.2.1").exitIp!!.startsWith("198.18."))
        assertEquals(null, client.fetch(page + "X-ProxyMesh-Error=x").error)
        assertEquals(3, proxied.cleanlySeen().size)
    }

    @Test
    fun `a kept tunnel keeps showing its exit IP`() = client(proxied.withPassword).use { client ->
        val exits = List(5) { client.fetch(site.url("https")).exitIp }
        assertEquals(exits.toSet(), proxied.sandbox.proxied().map { it.text("exit_ip") }.toSet())
        assertEquals(5, proxied.cleanlySeen().size)
    }

    @Test
    fun `a request that carries a header for the proxy is refused`() {
        val later = HttpRequestInterceptor { request, _, _ -> request.setHeader("x-proxymesh-country", "FR") }
        for (scheme in listOf("http", "https")) {
            for (name in listOf("Proxy-Authorization", "X-ProxyMesh-Country")) client().use { client ->
                val refused = assertThrows(ClientProtocolException::class.java) { client.fetch(site.url(scheme)) { setHeader(name, "x") } }
                assertTrue(name in refused.message!!, refused.message)
            }
            client { addRequestInterceptorLast(later) }.use { client ->
                assertThrows(ClientProtocolException::class.java) { client.fetch(site.url(scheme)) }
            }
        }
        assertEquals(0, site.seen().size)
    }

    @Test
    fun `neither the other interceptors nor the context get the credentials`() {
        val seen = mutableListOf<String>()
        val before = HttpRequestInterceptor { request, _, _ -> seen += request.headers.map { it.name } }
        val after = HttpResponseInterceptor { _, _, context -> seen += HttpClientContext.cast(context).request.headers.map { it.name } }
        client { addRequestInterceptorLast(before).addResponseInterceptorFirst(after) }.use { client ->
            for (scheme in listOf("http", "https")) {
                val context = HttpClientContext.create()
                assertEquals(200, client.fetch(site.url(scheme), context).status)
                seen += context.request.headers.map { it.name }
            }
        }
        assertTrue(seen.size > 8 && seen.none { it.startsWith("Proxy-A") || it.startsWith("X-") }, seen.toString())
        proxied.cleanlySeen()
    }

    @Test
    fun `the builder's proxy and selector are not used, and another proxy gets no credentials`() {
        val other = Site()
        val seen = mutableListOf<Seen>()
        val otherHost = HttpHost("http", "127.0.0.1", other.port("http"))
        for (scheme in listOf("http", "https")) {
            val selector = ProxySelector.of(java.net.InetSocketAddress("127.0.0.1", other.port("http")))
            client { setProxy(otherHost).setProxySelector(selector) }.use { assertEquals(200, it.fetch(site.url(scheme)).status) }
            assertEquals(1, proxied.sandbox.proxied().size)
            assertEquals(emptyList<Any>(), other.seen())
            @Suppress("DEPRECATION")
            val config = RequestConfig.custom().setProxy(otherHost).build()
            client().use { runCatching { it.fetch(site.url(scheme)) { setConfig(config) } } }
            seen += other.seen()
        }
        assertTrue(seen.isNotEmpty() && seen.all { "proxy-authorization" !in it.headers && "x-proxymesh-country" !in it.headers })
        proxied.cleanlySeen()
        other.close()
    }

    @Test
    fun `with another request executor, a request fails`() {
        val builder = trusting().proxyMesh(german).setRequestExecutor(HttpRequestExecutor())
        builder.build().use { client ->
            for (scheme in listOf("http", "https")) assertThrows(ClientProtocolException::class.java) { client.fetch(site.url(scheme)) }
        }
        assertEquals(listOf("407", "407"), statuses())
    }

    @Test
    fun `each request has its own exit with rotation, and all have the same one without`() {
        val proxy = proxied.withPassword
        for ((chosen, tunnels, exits) in listOf(Triple(proxy.rotating(), 50, 20..50), Triple(proxy, 1, 1..1))) {
            client(chosen).use { client ->
                val shown = List(50) { client.fetch(site.url("https")).exitIp }
                val requests = proxied.sandbox.proxied()
                assertEquals(tunnels, requests.size)
                val used = requests.map { it.text("exit_ip") }
                assertEquals(if (chosen.isRotating) used else List(50) { used.single() }, shown)
                assertTrue(used.toSet().size in exits, "${used.toSet().size} exits")
                assertEquals(50, proxied.cleanlySeen().size)
            }
        }
    }

    @Test
    fun `a session has one exit over any number of tunnels, and says that it is lost`() {
        val session = proxied.withPassword.sessionBlocking()
        val held = session.exitChoice.holdIp
        forget()
        repeat(5) {
            client(session).use { for (scheme in listOf("http", "https")) assertEquals(held, it.fetch(site.url(scheme)).exitIp) }
        }
        assertEquals(List(10) { held }, proxied.sandbox.proxied().map { it.text("exit_ip") })
        site.seen()
        client(proxied.withPassword.steer(ExitChoice(holdIp = "192.0.2.7"))).use { client ->
            for (scheme in listOf("https", "http")) repeat(2) {
                val error = assertThrows(ExitLostException::class.java) { client.fetch(site.url(scheme)) }
                assertTrue("no longer has the exit IP 192.0.2.7" in error.message.orEmpty(), error.message)
                assertEquals(if (scheme == "http") 1 else 0, site.seen().size, "an https request is not sent")
            }
            for (scheme in listOf("https", "http")) {
                proxied.sandbox.fault(NOT_FOUND)
                val error = assertThrows(ExitLostException::class.java) { client.fetch(site.url(scheme)) }
                assertTrue("no longer has the exit IP 192.0.2.7;" in error.message.orEmpty(), error.message)
            }
            assertEquals(0, site.seen().size)
        }
    }

    @Test
    fun `an unreachable proxy is never bypassed`() {
        val nobody = ProxyServer("localhost", Ports.free()).using(USERNAME, HARD_PASSWORD)
        // The site can be reached without a proxy here.
        for (scheme in listOf("http", "https")) client(nobody).use { client ->
            assertThrows(IOException::class.java) { client.fetch(site.url(scheme, "127.0.0.1")) }
        }
        assertEquals(0, site.seen().size)
    }
}
