package com.proxymesh

import com.proxymesh.support.Access
import com.proxymesh.support.Certificate
import com.proxymesh.support.Ports
import com.proxymesh.support.Proxied
import com.proxymesh.support.USERNAME
import com.proxymesh.support.assertGuideShows
import com.proxymesh.support.kindOfCredentials
import com.proxymesh.support.text
import java.io.IOException
import java.net.ProxySelector
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import javax.net.ssl.HttpsURLConnection
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What `docs/jvm.md` says about the JDK's own clients, with the sandbox's proxies. */
class JavaHttpTest {
    private fun builder(): HttpClient.Builder =
        HttpClient.newBuilder().sslContext(Certificate.tls).followRedirects(HttpClient.Redirect.ALWAYS)

    private fun fetch(proxy: ProxyServer, page: String, headers: Map<String, String> = proxy.headers()): HttpResponse<String> {
        val client = builder().proxy(ProxySelector.of(proxy.address)).build()
        val request = HttpRequest.newBuilder(URI(page)).apply { headers.forEach(::setHeader) }.build()
        return client.send(request, HttpResponse.BodyHandlers.ofString())
    }

    @Test
    fun `the guide shows the code that is tested here`() =
        assertGuideShows("The JDK's own client", "com/proxymesh/JavaHttpGuide.java")

    @Test
    fun `with an authorised IP or a token, every request and redirect works, and no site gets the token`() = Proxied().use { proxied ->
        for (access in listOf(Access.TOKEN, Access.AUTHORISED_IP)) {
            val proxy = proxied.using(access)
            fun get(page: String) =
                if (access == Access.TOKEN) JavaHttpGuide.withToken(builder(), proxy, page) else fetch(proxy, page)
            for (from in listOf("http", "https")) {
                val plain = get(proxied.site.url(from))
                assertEquals(200, plain.statusCode())
                assertEquals(from == "http", plain.headers().firstValue("X-ProxyMesh-IP").isPresent)
                for (to in listOf("http", "https")) {
                    val page = proxied.site.redirect(from, proxied.site.url(to, "other.test"))
                    assertEquals(200, get(page).statusCode(), page)
                }
                val requests = proxied.sandbox.proxied()
                assertEquals(5, requests.size)
                assertTrue(requests.all { it.text("account") == USERNAME && it.text("status") in listOf("200", "302") })
                assertEquals(5, proxied.cleanlySeen().size)
            }
        }
    }

    @Test
    fun `a password works for http, and is not sent with a CONNECT`() = Proxied().use { proxied ->
        assertEquals(200, fetch(proxied.withPassword, proxied.site.url("http")).statusCode())
        assertEquals(407, fetch(proxied.withPassword, proxied.site.url("https")).statusCode())
        assertEquals(listOf("basic", "none"), proxied.sandbox.proxied().map { it.kindOfCredentials() })
        assertEquals(1, proxied.cleanlySeen().size)
    }

    @Test
    fun `the exit choice is sent to an https site, and URLConnection sends the password too`() = Proxied().use { proxied ->
        proxied.authoriseThisMachine()
        val proxy = proxied.withPassword.steer(ExitChoice(country = "DE"))
        fun seen() = proxied.site.seen().single().headers.keys.filter { it.startsWith("proxy-") || it.startsWith("x-") }.toSet()

        assertEquals(200, fetch(proxy, proxied.site.url("https"), proxy.withoutCredentials().headers()).statusCode())
        assertEquals(setOf("x-proxymesh-country"), seen())

        val connection = URI(proxied.site.url("https")).toURL().openConnection(java.net.Proxy(java.net.Proxy.Type.HTTP, proxy.address))
        (connection as HttpsURLConnection).sslSocketFactory = Certificate.tls.socketFactory
        proxy.headers().forEach(connection::setRequestProperty)
        assertEquals(200, connection.responseCode)
        assertEquals(setOf("proxy-authorization", "x-proxymesh-country"), seen())
    }

    @Test
    fun `an unreachable proxy is never bypassed`() = Proxied().use { proxied ->
        val nobody = ProxyServer("localhost", Ports.free())
        for (scheme in listOf("http", "https")) {
            assertThrows(IOException::class.java) { fetch(nobody, proxied.site.url(scheme, "127.0.0.1")) }
        }
        assertEquals(0, proxied.site.seen().size)
    }
}
