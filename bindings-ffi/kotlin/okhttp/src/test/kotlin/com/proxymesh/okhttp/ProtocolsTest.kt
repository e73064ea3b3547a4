package com.proxymesh.okhttp

import com.proxymesh.ExitChoice
import com.proxymesh.support.Certificate
import com.proxymesh.support.Proxied
import com.proxymesh.support.text
import java.io.IOException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CountDownLatch
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import okhttp3.OkHttpClient
import okhttp3.Protocol
import okhttp3.Request
import okhttp3.Response
import okhttp3.WebSocket
import okhttp3.WebSocketListener
import okhttp3.mockwebserver.Dispatcher
import okhttp3.mockwebserver.MockResponse
import okhttp3.mockwebserver.MockWebServer
import okhttp3.mockwebserver.RecordedRequest
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** HTTP/2 and WebSockets through the sandbox's proxies. */
class ProtocolsTest {
    private val proxied = Proxied()
    private val german = proxied.withPassword.steer(ExitChoice(country = "DE"))
    private val server = MockWebServer()

    @AfterEach
    fun close() {
        server.shutdown()
        proxied.close()
    }

    private fun url(scheme: String) = "$scheme://site.test:${server.port}/"

    private fun secure(vararg protocols: Protocol) = server.apply {
        useHttps(Certificate.tls.socketFactory, false)
        this.protocols = protocols.asList()
        start()
    }

    private fun RecordedRequest.assertClean() = headers.forEach { (name, value) ->
        val lower = name.lowercase()
        assertTrue(!lower.startsWith("proxy-") && !lower.startsWith("x-proxymesh") && "Basic" !in value, name)
    }

    @Test
    fun `an HTTP 2 connection is a tunnel that the requests share`() {
        secure(Protocol.HTTP_2, Protocol.HTTP_1_1)
        val client = trusting().proxyMesh(german).build()
        repeat(3) {
            server.enqueue(MockResponse())
            client.newCall(Request.Builder().url(url("https")).build()).execute().use { assertEquals(Protocol.HTTP_2, it.protocol) }
            server.takeRequest(20, TimeUnit.SECONDS)!!.assertClean()
        }
        assertEquals(listOf("DE"), proxied.sandbox.proxied().map { it.text("country") })
    }

    @Test
    fun `with rotation, requests at the same time have tunnels of their own`() {
        secure(Protocol.HTTP_2, Protocol.HTTP_1_1)
        val finish = CountDownLatch(1)
        server.dispatcher = object : Dispatcher() {
            override fun dispatch(request: RecordedRequest): MockResponse {
                finish.await(20, TimeUnit.SECONDS)
                return MockResponse()
            }
        }
        val client = trusting().proxyMesh(german.rotating()).build()
        // Each request begins when the earlier ones have connected, and before they end.
        val threads = List(3) {
            thread { client.fetch(url("https")) }.also { server.takeRequest(20, TimeUnit.SECONDS)!!.assertClean() }
        }
        finish.countDown()
        threads.forEach(Thread::join)
        assertEquals(3, proxied.sandbox.proxied().size)
    }

    @Test
    fun `http with prior knowledge of HTTP 2 leaks nothing`() {
        server.protocols = listOf(Protocol.H2_PRIOR_KNOWLEDGE)
        server.start()
        server.enqueue(MockResponse())
        val client = trusting().protocols(listOf(Protocol.H2_PRIOR_KNOWLEDGE)).callTimeout(3, TimeUnit.SECONDS).proxyMesh(german).build()
        // OkHttp 5 opens a tunnel. OkHttp 4 speaks HTTP/2 with the proxy, and fails.
        runCatching { client.fetch(url("http")) }
        server.takeRequest(0, TimeUnit.SECONDS)?.assertClean()
        assertTrue(proxied.sandbox.proxied().all { it.text("country") == "DE" })
    }

    private fun open(client: OkHttpClient, url: String): CompletableFuture<String> {
        val received = CompletableFuture<String>()
        client.newWebSocket(
            Request.Builder().url(url).build(),
            object : WebSocketListener() {
                override fun onMessage(webSocket: WebSocket, text: String) {
                    received.complete(text)
                    webSocket.close(1000, null)
                }

                override fun onFailure(webSocket: WebSocket, t: Throwable, response: Response?) {
                    received.completeExceptionally(t)
                }
            },
        )
        return received
    }

    @Test
    fun `a secure WebSocket goes through a tunnel`() {
        secure(Protocol.HTTP_1_1)
        server.enqueue(
            MockResponse().withWebSocketUpgrade(
                object : WebSocketListener() {
                    override fun onOpen(webSocket: WebSocket, response: Response) {
                        webSocket.send("hello")
                    }

                    override fun onClosing(webSocket: WebSocket, code: Int, reason: String) {
                        webSocket.close(1000, null)
                    }
                },
            ),
        )
        assertEquals("hello", open(trusting().proxyMesh(german).build(), url("wss")).get(20, TimeUnit.SECONDS))
        server.takeRequest(20, TimeUnit.SECONDS)!!.assertClean()
        assertEquals(listOf("DE"), proxied.sandbox.proxied().map { it.text("country") })
    }

    @Test
    fun `a WebSocket without TLS is refused, because OkHttp would not tell the proxy`() {
        server.start()
        for (proxy in listOf(german, proxied.open.steer(ExitChoice(country = "DE")))) {
            val failed = assertThrows(ExecutionException::class.java) {
                open(trusting().proxyMesh(proxy).build(), url("ws")).get(20, TimeUnit.SECONDS)
            }
            assertTrue(failed.cause is IOException && failed.cause!!.message!!.endsWith("use wss"), failed.toString())
        }
        assertEquals(0, server.requestCount)
        assertEquals(0, proxied.sandbox.proxied().size)
    }
}
