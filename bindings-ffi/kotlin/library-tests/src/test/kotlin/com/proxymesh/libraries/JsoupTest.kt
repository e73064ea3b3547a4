package com.proxymesh.libraries

import com.proxymesh.ExitChoice
import com.proxymesh.ProxyServer
import com.proxymesh.support.Access
import com.proxymesh.support.Certificate
import com.proxymesh.support.Proxied
import com.proxymesh.support.USERNAME
import com.proxymesh.support.kindOfCredentials
import com.proxymesh.support.text
import org.jsoup.Connection
import org.jsoup.HttpStatusException
import org.jsoup.Jsoup
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

/** If this is false, jsoup uses `HttpURLConnection`, as its earlier versions do. */
private const val USE_HTTP_CLIENT = "jsoup.useHttpClient"

/** jsoup fetches pages through the sandbox's proxies, on its own and with OkHttp. */
class JsoupTest {
    private fun to(page: String): Connection = Jsoup.connect(page).sslContext(Certificate.tls).timeout(20_000).ignoreContentType(true)

    private fun Connection.through(proxy: ProxyServer): Connection = proxy(proxy.address.hostString, proxy.port)

    @Test
    fun `with OkHttp, the proxy gets everything and the site gets nothing`() = Proxied().use { proxied ->
        proxied.assertEachKindOfAccess(showsExitOnHttps = false) { proxy, page ->
            var exit: String? = null
            val client = trusting().addNetworkInterceptor { chain ->
                chain.proceed(chain.request()).also { exit = it.header("X-ProxyMesh-IP") }
            }
            val document = JsoupGuide.withOkHttp(client, proxy, page)
            assertEquals("page" to page, document.text() to document.location())
            200 to exit
        }
    }

    @Test
    fun `from an authorised IP, jsoup works on its own`() = Proxied().use { proxied ->
        val proxy = proxied.using(Access.AUTHORISED_IP)
        for (scheme in listOf("http", "https")) {
            assertEquals("page", JsoupGuide.fromAuthorisedIp(to(proxied.site.url(scheme)), proxy).text())
            val request = proxied.sandbox.proxied().single()
            assertEquals(if (scheme == "http") "GET" else "CONNECT", request.text("method"))
            assertEquals("none" to USERNAME, request.kindOfCredentials() to request.text("account"))
            assertEquals(1, proxied.cleanlySeen().size)
        }
    }

    @Test
    fun `with a token, jsoup works on its own`() = Proxied().use { proxied ->
        val proxy = proxied.using(Access.TOKEN)
        for (scheme in listOf("http", "https")) {
            val connection = to(proxied.site.url(scheme)).through(proxy).headers(proxy.headers())
            assertEquals("page", connection.get().text())
            assertEquals("bearer", proxied.sandbox.proxied().single().kindOfCredentials())
            assertEquals(1, proxied.cleanlySeen().size)
        }
    }

    /** This is why the guide says to use OkHttp. */
    @Test
    fun `jsoup on its own cannot send a password with a CONNECT, and sends the exit choice to the site`() = Proxied().use { proxied ->
        val page = proxied.site.url("https")
        val refused = assertThrows(HttpStatusException::class.java) {
            to(page).through(proxied.open).headers(proxied.withPassword.headers()).get()
        }
        assertEquals(407, refused.statusCode)
        assertEquals("none", proxied.sandbox.proxied().single().kindOfCredentials())

        proxied.authoriseThisMachine()
        val headers = proxied.withPassword.steer(ExitChoice(country = "DE")).headers()
        to(page).through(proxied.open).headers(headers).get()
        assertEquals(setOf("x-proxymesh-country"), proxied.leaked())
        System.setProperty(USE_HTTP_CLIENT, "false")
        try {
            to(page).through(proxied.open).headers(headers).get()
            assertEquals(setOf("proxy-authorization", "x-proxymesh-country"), proxied.leaked())
        } finally {
            System.clearProperty(USE_HTTP_CLIENT)
        }
    }
}
