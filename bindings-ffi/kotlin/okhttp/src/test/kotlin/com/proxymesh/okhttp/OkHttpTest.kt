package com.proxymesh.okhttp

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
import java.net.ProtocolException
import java.net.ProxySelector
import java.net.SocketAddress
import java.net.URI
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import kotlin.io.path.readText
import kotlin.io.path.walk
import okhttp3.Cache
import okhttp3.Call
import okhttp3.Callback
import okhttp3.Dns
import okhttp3.Interceptor
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.Response
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.io.TempDir

/** OkHttp fetches pages through the sandbox's proxies. The tests look at what the proxy got, and at what the site got. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OkHttpTest {
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

    private fun client(proxy: ProxyServer = german, change: OkHttpClient.Builder.() -> Unit = {}) =
        trusting().apply(change).proxyMesh(proxy).build()

    private fun statuses() = proxied.sandbox.proxied().map { it.text("status") }

    @Test
    fun `the version of OkHttp is the one to test`() {
        val version = Class.forName("okhttp3.OkHttp").getField("VERSION").get(null)
        assertEquals(System.getProperty("library.version"), version)
    }

    @Test
    fun `the proxy gets everything and the site gets nothing`() = Proxied().use { own ->
        own.assertEachKindOfAccess(showsExitOnHttps = false) { proxy, url ->
            trusting().proxyMesh(proxy).build().fetch(url).run { status to exitIp }
        }
    }

    @Test
    fun `a refused password is sent once, even if the proxy has several addresses`() {
        val twoAddresses = Dns { List(2) { InetAddress.getByAddress("proxy$it", byteArrayOf(127, 0, 0, 1)) } }
        for (proxy in listOf(german.using(USERNAME, "wrong"), proxied.open)) {
            val isWithout = proxy == proxied.open
            val reason = if (isWithout) "No Proxy-Authorization header, and 127.0.0.1 is not an authorised IP." else "Wrong username or password."
            val client = client(proxy) { dns(twoAddresses) }
            val response = client.fetch(site.url("http"))
            assertEquals(407 to reason, response.status to response.error)
            assertEquals(listOf("407"), statuses())

            val refused = assertThrows(ProxyRefusedException::class.java) { client.fetch(site.url("https")) }
            assertEquals(407 to reason, refused.status to refused.reason)
            assertEquals("the proxy $proxy refused the tunnel (407): $reason", refused.message)
            assertEquals(listOf("407"), statuses())

            val future = CompletableFuture<Int>()
            client.newCall(Request.Builder().url(site.url("https")).build()).enqueue(
                object : Callback {
                    override fun onFailure(call: Call, e: IOException) { future.completeExceptionally(e) }

                    override fun onResponse(call: Call, response: Response) { future.complete(response.code) }
                },
            )
            val failed = assertThrows(ExecutionException::class.java) { future.get(20, TimeUnit.SECONDS) }
            assertInstanceOf(ProxyRefusedException::class.java, failed.cause)
            assertEquals(listOf("407"), statuses())
        }
        assertEquals(0, site.seen().size)
    }

    @Test
    fun `an interceptor that repeats failed calls does not repeat a refused password`() {
        val stubborn = Interceptor { chain ->
            runCatching { chain.proceed(chain.request()) }.recoverCatching { chain.proceed(chain.request()) }.getOrThrow()
        }
        val client = client(german.using(USERNAME, "wrong")).newBuilder().addInterceptor(stubborn).build()
        assertThrows(ProtocolException::class.java) { client.fetch(site.url("https")) }
        assertEquals(listOf("407"), statuses())
    }

    @Test
    fun `another refusal is an exception with the status`() {
        proxied.sandbox.fault("""{"kind": "status", "status": 402, "proxy": "open"}""")
        val refused = assertThrows(IOException::class.java) { client().fetch(site.url("https")) }
        assertTrue("402" in refused.message!!, refused.message)
    }

    @Test
    fun `redirects between http and https tell each end only what it may know`() {
        for ((from, to) in listOf("http" to "https", "https" to "http", "http" to "http", "https" to "https")) {
            for (host in listOf("site.test", "other.test")) for (proxy in listOf(german, german.rotating())) {
                val cell = "$from to $to of $host, ${proxy.isRotating}"
                assertEquals(200, client(proxy).fetch(site.redirect(from, site.url(to, host))).status, cell)
                assertEquals(listOf(from, to), proxied.cleanlySeen().map { it.scheme }, cell)
                val requests = proxied.sandbox.proxied()
                assertTrue(requests.all { it.text("country") == "DE" && it.text("account") == USERNAME }, cell)
                // Within a site, a call stays in its tunnel.
                assertEquals(if (from == "https" && to == "https" && host == "site.test") 1 else 2, requests.size, cell)
            }
        }
    }

    @Test
    fun `a site that answers 407 does not get the credentials`() {
        for (scheme in listOf("http", "https")) for (challenge in listOf("OkHttp-Preemptive", "Basic realm=x")) {
            val page = site.url(scheme) + "407?Proxy-Authenticate=" + challenge.replace(" ", "%20")
            assertEquals(407, client().fetch(page).status)
            assertEquals(1, proxied.cleanlySeen().size)
            assertEquals(1, proxied.sandbox.proxied().size)
        }
    }

    @Test
    fun `a request that carries a header for the proxy is refused`() {
        val later = Interceptor { it.proceed(it.request().newBuilder().header("x-proxymesh-country", "FR").build()) }
        for (scheme in listOf("http", "https")) {
            for (name in listOf("Proxy-Authorization", "X-ProxyMesh-Country")) {
                val refused = assertThrows(ProtocolException::class.java) { client().fetch(site.url(scheme)) { header(name, "x") } }
                assertTrue(name in refused.message!!, refused.message)
            }
            val client = client().newBuilder().addInterceptor(later).build()
            assertThrows(ProtocolException::class.java) { client.fetch(site.url(scheme)) }
        }
        assertEquals(0, site.seen().size)
    }

    @Test
    fun `neither the other interceptors nor the response nor a cache get the credentials`(@TempDir folder: Path) {
        val seen = mutableListOf<String>()
        val watching = Interceptor { chain ->
            seen += chain.request().headers.names()
            chain.proceed(chain.request()).also { seen += it.request.headers.names() }
        }
        val cache = Cache(folder.toFile(), 1_000_000)
        val client = client { addInterceptor(watching).addNetworkInterceptor(watching).cache(cache) }
        for (scheme in listOf("http", "https")) {
            val url = site.url(scheme) + "404?Vary=Proxy-Authorization"
            client.newCall(Request.Builder().url(url).build()).execute().use {
                it.body!!.bytes()
                seen += listOfNotNull(it, it.networkResponse, it.cacheResponse).flatMap { one -> one.request.headers.names() }
            }
        }
        cache.close()
        assertTrue(seen.size > 8 && seen.none { it.startsWith("Proxy-A") || it.startsWith("X-") }, seen.toString())
        val cached = folder.walk().map { it.readText(Charsets.ISO_8859_1) }.toList()
        assertTrue(cached.any { "site.test" in it } && cached.none { "Basic" in it }, cached.toString())
        proxied.cleanlySeen()
    }

    @Test
    fun `a proxy selector is not used, and another proxy gets no credentials`() {
        val other = Site()
        val seen = mutableListOf<Seen>()
        val otherProxy = java.net.Proxy(java.net.Proxy.Type.HTTP, java.net.InetSocketAddress("127.0.0.1", other.port("http")))
        val selector = object : ProxySelector() {
            override fun select(uri: URI?) = listOf(otherProxy)

            override fun connectFailed(uri: URI?, sa: SocketAddress?, ioe: IOException?) = Unit
        }
        for (scheme in listOf("http", "https")) {
            assertEquals(200, client { proxySelector(selector) }.fetch(site.url(scheme)).status)
            assertEquals(200, client().newBuilder().proxySelector(selector).build().fetch(site.url(scheme)).status)
            assertEquals(2, proxied.sandbox.proxied().size)
            assertEquals(emptyList<Any>(), other.seen())
            runCatching { client().newBuilder().proxy(otherProxy).build().fetch(site.url(scheme)) }
            seen += other.seen()
        }
        assertTrue(seen.isNotEmpty() && seen.all { "proxy-authorization" !in it.headers && "x-proxymesh-country" !in it.headers })
        proxied.cleanlySeen()
        other.close()
    }

    @Test
    fun `derived clients have their own exit choice and never share a tunnel`() {
        val base = client(german)
        val french = german.steer(ExitChoice(country = "FR"))
        val derived = base.newBuilder().proxyMesh(french).build()
        assertEquals(base.interceptors.size to base.networkInterceptors.size, derived.interceptors.size to derived.networkInterceptors.size)
        for (scheme in listOf("http", "https")) {
            repeat(2) { listOf(base, derived).forEach { assertEquals(200, it.fetch(site.url(scheme)).status) } }
            val countries = proxied.sandbox.proxied().map { it.text("country") }
            assertEquals(if (scheme == "http") listOf("DE", "FR", "DE", "FR") else listOf("DE", "FR"), countries)
        }
        val without = base.newBuilder().proxyMesh(proxied.open).build()
        assertEquals(407, without.fetch(site.url("http")).status)
        assertThrows(ProxyRefusedException::class.java) { without.fetch(site.url("https")) }
        proxied.cleanlySeen()
    }

    @Test
    fun `each call has its own exit with rotation, and all have the same one without`() {
        val proxy = proxied.withPassword
        for ((used, tunnels, exits) in listOf(Triple(proxy.rotating(), 50, 20..50), Triple(proxy, 1, 1..1))) {
            val client = client(used)
            repeat(50) { assertEquals(200, client.fetch(site.url("https")).status) }
            val requests = proxied.sandbox.proxied()
            assertEquals(tunnels, requests.size)
            val different = requests.map { it.text("exit_ip") }.toSet().size
            assertTrue(different in exits, "$different exits")
            assertEquals(50, proxied.cleanlySeen().size)
        }
    }

    @Test
    fun `a session has one exit over any number of tunnels, and for http it says that it is lost`() {
        val session = proxied.withPassword.sessionBlocking()
        val held = session.exitChoice.holdIp
        forget()
        repeat(5) { for (scheme in listOf("http", "https")) assertEquals(200, client(session).fetch(site.url(scheme)).status) }
        assertEquals(List(10) { held }, proxied.sandbox.proxied().map { it.text("exit_ip") })
        val lost = client(proxied.withPassword.steer(ExitChoice(holdIp = "192.0.2.7")))
        val error = assertThrows(ExitLostException::class.java) { lost.fetch(site.url("http")) }
        assertTrue("no longer has the exit IP 192.0.2.7 and used" in error.message.orEmpty(), error.message)
        proxied.sandbox.fault(NOT_FOUND)
        val unnamed = assertThrows(ExitLostException::class.java) { lost.fetch(site.url("http")) }
        assertTrue("no longer has the exit IP 192.0.2.7;" in unnamed.message.orEmpty(), unnamed.message)
        // OkHttp does not show the response to a CONNECT.
        assertEquals(200, lost.fetch(site.url("https")).status)
    }

    @Test
    fun `an unreachable proxy is never bypassed`() {
        val nobody = ProxyServer("localhost", Ports.free()).using(USERNAME, HARD_PASSWORD)
        for (scheme in listOf("http", "https")) {
            // The site can be reached without a proxy here.
            val page = site.url(scheme, "127.0.0.1")
            assertThrows(IOException::class.java) { client(nobody).fetch(page) }
        }
        assertEquals(0, site.seen().size)
    }

    @Test
    fun `nothing prints the credentials`() {
        val client = client()
        val printed = (client.interceptors + client.networkInterceptors + client.proxyAuthenticator + client.proxy).toString()
        assertFalse(HARD_PASSWORD in printed || "Basic" in printed, printed)
    }
}
