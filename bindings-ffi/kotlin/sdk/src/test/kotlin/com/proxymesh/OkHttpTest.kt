package com.proxymesh

import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Sandbox
import com.proxymesh.support.USERNAME
import com.proxymesh.support.text
import com.sun.net.httpserver.HttpServer
import com.sun.net.httpserver.HttpsConfigurator
import com.sun.net.httpserver.HttpsServer
import java.io.File
import java.io.IOException
import java.net.InetSocketAddress
import java.net.ProxySelector
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Path
import java.security.KeyStore
import java.util.concurrent.CopyOnWriteArrayList
import javax.net.ssl.HttpsURLConnection
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509TrustManager
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import okhttp3.OkHttpClient
import okhttp3.Request
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Tests what the documentation of [Proxy.headers] says about OkHttp and other clients, with the sandbox's proxies. */
class OkHttpTest {
    @TempDir lateinit var folder: Path

    private fun block(proxy: Proxy, headers: Map<String, String>): OkHttpClient.Builder {
        fun Request.withHeaders() = newBuilder().apply { headers.forEach { (name, value) -> header(name, value) } }.build()
        val client = OkHttpClient.Builder()
            .proxy(java.net.Proxy(java.net.Proxy.Type.HTTP, proxy.address))
            .proxyAuthenticator { _, response ->
                val before = response.challenges().any { it.scheme == "OkHttp-Preemptive" }
                if (before && headers.isNotEmpty()) response.request.withHeaders() else null
            }
            .addNetworkInterceptor { chain ->
                val request = chain.request()
                chain.proceed(if (request.isHttps) request else request.withHeaders())
            }
            .build()
        return client.newBuilder()
    }

    @Test
    fun `the block is the one in the documentation`() {
        val lines = { file: String -> File("src/$file").readLines().map { it.trim().removePrefix("*").trim() } }
        val shown = lines("main/kotlin/com/proxymesh/Proxy.kt").joinToString("\n")
            .substringAfter("fun Request.withHeaders()").substringBefore("```")
        assertTrue(shown in lines("test/kotlin/com/proxymesh/OkHttpTest.kt").joinToString("\n"))
    }

    @Test
    fun `no request gets a 407, and no site gets the headers`() = through { sandbox, proxy, site, secureSite, trusting ->
        val client = block(proxy, proxy.using(USERNAME, PASSWORD).steer(ExitChoice(country = "DE")).headers()).trusting().build()
        for (url in listOf(site.url("http"), secureSite.url("https"), site.url("http"))) {
            client.newCall(Request.Builder().url(url).build()).execute().use { assertEquals(200, it.code) }
        }
        assertEquals(3, site.seen.size + secureSite.seen.size)
        for (names in site.seen + secureSite.seen) {
            assertTrue(names.none { it.startsWith("proxy-") || it.startsWith("x-proxymesh") }, names.toString())
        }
        val proxied = sandbox.proxied()
        assertEquals(listOf("200", "200", "200"), proxied.map { it.text("status") })
        assertEquals(setOf("DE"), proxied.map { it.text("country") }.toSet())
    }

    @Test
    fun `without credentials and with wrong ones, there is one 407 and no retry`() = through { sandbox, proxy, site, secureSite, trusting ->
        for (headers in listOf(proxy.headers(), proxy.steer(ExitChoice(country = "DE")).headers(), proxy.using(USERNAME, "wrong").headers())) {
            val client = block(proxy, headers).trusting().build()
            client.newCall(Request.Builder().url(site.url("http")).build()).execute().use { assertEquals(407, it.code) }
            val secure = client.newCall(Request.Builder().url(secureSite.url("https")).build())
            assertThrows(IOException::class.java) { secure.execute().close() }
        }
        assertEquals(List(6) { "407" }, sandbox.proxied().map { it.text("status") })
        assertEquals(0, site.seen.size + secureSite.seen.size)
    }

    @Test
    fun `the JDK's own clients send headers for the proxy to an https site, as documented`() = through { sandbox, proxy, _, secureSite, _ ->
        // Otherwise the proxy would refuse a CONNECT without a password.
        BlockingClient(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl).use { client -> listOf("127.0.0.1", "::1").forEach { client.ips.add(it) } }
        val headers = proxy.using(USERNAME, PASSWORD).steer(ExitChoice(country = "DE")).headers()

        val connection = URI(secureSite.url("https")).toURL().openConnection(java.net.Proxy(java.net.Proxy.Type.HTTP, proxy.address))
        (connection as HttpsURLConnection).sslSocketFactory = secureSite.tls!!.socketFactory
        headers.forEach(connection::setRequestProperty)
        assertEquals(200, connection.responseCode)
        fun seen() = secureSite.seen.last().filter { it.startsWith("proxy-") || it.startsWith("x-") }.toSet()
        assertEquals(setOf("proxy-authorization", "x-proxymesh-country"), seen())

        val client = HttpClient.newBuilder().proxy(ProxySelector.of(InetSocketAddress("localhost", proxy.port)))
            .sslContext(secureSite.tls).build()
        val request = HttpRequest.newBuilder(URI(secureSite.url("https"))).apply { headers.forEach(::setHeader) }.build()
        assertEquals(200, client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode())
        assertEquals(setOf("x-proxymesh-country"), seen())
    }

    private fun Sandbox.proxied(): List<JsonObject> = when (val found = control("proxied")) {
        is JsonObject -> found.values.first { it !is kotlinx.serialization.json.JsonPrimitive }.jsonArray
        else -> found.jsonArray
    }.map { it.jsonObject }

    private class Site(private val server: HttpServer, val tls: SSLContext? = null) {
        val seen = CopyOnWriteArrayList<List<String>>()

        init {
            server.createContext("/") { exchange ->
                seen += exchange.requestHeaders.keys.map { it.lowercase() }
                exchange.sendResponseHeaders(200, -1)
                exchange.close()
            }
            server.start()
        }

        fun url(scheme: String) = "$scheme://localhost:${server.address.port}/"

        fun stop() = server.stop(0)
    }

    private fun through(
        test: (Sandbox, Proxy, Site, Site, OkHttpClient.Builder.() -> OkHttpClient.Builder) -> Unit,
    ) = Sandbox("--proxies").use { sandbox ->
        val store = folder.resolve("keys").toFile()
        val keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString()
        val made = ProcessBuilder(
            keytool, "-genkeypair", "-keyalg", "EC", "-alias", "site", "-dname", "CN=localhost", "-ext", "san=dns:localhost",
            "-keystore", store.path, "-storepass", "changeit", "-storetype", "PKCS12",
        ).inheritIO().start().waitFor()
        assertEquals(0, made)
        val keys = KeyStore.getInstance(store, "changeit".toCharArray())
        val trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(keys) }.trustManagers
        val own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).apply { init(keys, "changeit".toCharArray()) }
        val tls = SSLContext.getInstance("TLS").apply { init(own.keyManagers, trust, null) }

        val here = InetSocketAddress("localhost", 0)
        val site = Site(HttpServer.create(here, 0))
        val secureSite = Site(HttpsServer.create(here, 0).apply { httpsConfigurator = HttpsConfigurator(tls) }, tls)
        try {
            val proxy = BlockingClient(USERNAME, PASSWORD, baseUrl = sandbox.baseUrl).use { client ->
                client.proxies.add("open")
                client.proxies.list().first { it.choosesCountry }
            }
            assertEquals("localhost", proxy.address.hostString)
            test(sandbox, proxy, site, secureSite) { sslSocketFactory(tls.socketFactory, trust.single() as X509TrustManager) }
        } finally {
            site.stop()
            secureSite.stop()
        }
    }
}
