package com.proxymesh.libraries

import com.proxymesh.ExitChoice
import com.proxymesh.ProxyServer
import com.proxymesh.okhttp.ProxyRefusedException
import com.proxymesh.okhttp.proxyMesh
import com.proxymesh.support.Access
import com.proxymesh.support.Certificate
import com.proxymesh.support.Proxied
import com.proxymesh.support.USERNAME
import com.proxymesh.support.kindOfCredentials
import com.proxymesh.support.text
import io.ktor.client.HttpClient
import io.ktor.client.engine.ProxyBuilder
import io.ktor.client.engine.cio.CIO
import io.ktor.client.engine.http
import io.ktor.client.engine.java.Java
import io.ktor.client.engine.okhttp.OkHttp
import io.ktor.client.plugins.HttpTimeout
import io.ktor.client.request.get
import io.ktor.client.request.header
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.bodyAsText
import java.net.ProxySelector
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

/** Ktor fetches pages through the sandbox's proxies. */
class KtorTest {
    private fun HttpClient.fetch(page: String, headers: Map<String, String> = emptyMap()): HttpResponse = runBlocking {
        get(page) { headers.forEach(::header) }.also { it.bodyAsText() }
    }

    @Test
    fun `with the OkHttp engine, the proxy gets everything and the site gets nothing`() = Proxied().use { proxied ->
        proxied.assertEachKindOfAccess(showsExitOnHttps = false) { proxy, page ->
            ktorWithOkHttp(trusting(), proxy).use { client -> client.fetch(page).run { status.value to headers["X-ProxyMesh-IP"] } }
        }
    }

    @Test
    fun `the OkHttp engine keeps the proxy if a plugin changes its client`() = Proxied().use { proxied ->
        val german = proxied.withPassword.steer(ExitChoice(country = "DE"))
        ktorWithOkHttp(trusting(), german).config { install(HttpTimeout) { requestTimeoutMillis = 20_000 } }.use { client ->
            for (scheme in listOf("http", "https")) {
                val page = proxied.site.redirect(scheme, proxied.site.url(scheme, "other.test"))
                assertEquals(200, client.fetch(page).status.value)
            }
        }
        assertEquals(4, proxied.cleanlySeen().size)
        assertEquals(List(4) { "DE" }, proxied.sandbox.proxied().map { it.text("country") })
    }

    @Test
    fun `with the OkHttp engine, a refused password is sent once, and each request of a rotating proxy has its own tunnel`() =
        Proxied().use { proxied ->
            ktorWithOkHttp(trusting(), proxied.open.using(USERNAME, "wrong")).use { client ->
                assertThrows(ProxyRefusedException::class.java) { client.fetch(proxied.site.url("https")) }
            }
            assertEquals(listOf("407"), proxied.sandbox.proxied().map { it.text("status") })
            ktorWithOkHttp(trusting(), proxied.withPassword.rotating()).use { client ->
                repeat(20) { assertEquals(200, client.fetch(proxied.site.url("https")).status.value) }
            }
            assertEquals(20, proxied.sandbox.proxied().size)
            assertEquals(20, proxied.cleanlySeen().size)
        }

    private fun cio(proxy: ProxyServer) = HttpClient(CIO) {
        engine {
            this.proxy = ProxyBuilder.http("http://${proxy.hostAndPort}")
            https { trustManager = Certificate.trust }
        }
    }

    @Test
    fun `from an authorised IP, the CIO engine works`() = Proxied().use { proxied ->
        val proxy = proxied.using(Access.AUTHORISED_IP)
        cio(proxy).use { client ->
            for (scheme in listOf("http", "https")) {
                val response = client.fetch(proxied.site.url(scheme))
                assertEquals(200, response.status.value)
                val request = proxied.sandbox.proxied().single()
                assertEquals(if (scheme == "http") request.text("exit_ip") else null, response.headers["X-ProxyMesh-IP"])
                assertEquals(if (scheme == "http") "GET" else "CONNECT", request.text("method"))
                assertEquals("none" to USERNAME, request.kindOfCredentials() to request.text("account"))
                assertEquals(1, proxied.cleanlySeen().size)
            }
        }
    }

    /** This is why the guide says not to use it with credentials or an exit choice. */
    @Test
    fun `the CIO engine sends the credentials and the exit choice to an https site`() = Proxied().use { proxied ->
        proxied.authoriseThisMachine()
        val headers = proxied.withPassword.steer(ExitChoice(country = "DE")).headers()
        cio(proxied.open).use { client ->
            assertEquals(200, client.fetch(proxied.site.url("https"), headers).status.value)
            assertEquals(setOf("proxy-authorization", "x-proxymesh-country"), proxied.leaked())
            // For an http page, the proxy removes them.
            assertEquals(200, client.fetch(proxied.site.url("http"), headers).status.value)
            assertEquals(1, proxied.cleanlySeen().size)
        }
    }

    @Test
    fun `the Java engine is like the JDK's client`() = Proxied().use { proxied ->
        val token = proxied.using(Access.TOKEN)
        proxied.authoriseThisMachine()
        HttpClient(Java) {
            engine { config { sslContext(Certificate.tls).proxy(ProxySelector.of(proxied.open.address)) } }
        }.use { client ->
            for (scheme in listOf("http", "https")) {
                assertEquals(200, client.fetch(proxied.site.url(scheme), token.headers()).status.value)
                assertEquals("bearer", proxied.sandbox.proxied().single().kindOfCredentials())
                assertEquals(1, proxied.cleanlySeen().size)
            }
            val choice = proxied.open.steer(ExitChoice(country = "DE")).headers()
            assertEquals(200, client.fetch(proxied.site.url("https"), choice).status.value)
            assertEquals(setOf("x-proxymesh-country"), proxied.leaked())
        }
    }
}
