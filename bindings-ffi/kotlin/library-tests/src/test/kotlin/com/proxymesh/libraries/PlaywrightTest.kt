package com.proxymesh.libraries

import com.microsoft.playwright.Browser
import com.microsoft.playwright.BrowserType
import com.microsoft.playwright.Playwright
import com.microsoft.playwright.PlaywrightException
import com.microsoft.playwright.Response
import com.microsoft.playwright.options.Proxy
import com.proxymesh.ExitChoice
import com.proxymesh.support.Access
import com.proxymesh.support.HARD_PASSWORD
import com.proxymesh.support.Proxied
import com.proxymesh.support.USERNAME
import com.proxymesh.support.kindOfCredentials
import com.proxymesh.support.steering
import com.proxymesh.support.text
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance

/** Playwright opens pages with Chromium, through the sandbox's proxies. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PlaywrightTest {
    private var playwright: Playwright? = null
    private lateinit var browser: Browser

    @BeforeAll
    fun start() {
        val chromium = chromium()
        val created = Playwright.create(Playwright.CreateOptions().setEnv(mapOf("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD" to "1")))
        playwright = created
        browser = created.chromium().launch(BrowserType.LaunchOptions().setExecutablePath(chromium.toPath()).setArgs(FLAGS))
    }

    @AfterAll
    fun close() {
        playwright?.close()
    }

    private fun <T> visit(options: Browser.NewContextOptions, page: String, read: (Response) -> T): T =
        browser.newContext(options).use { context -> read(context.newPage().navigate(page)) }

    @Test
    fun `a password and an authorised IP work for http and https, with a proxy in the country`() = Proxied().use { proxied ->
        val german = proxied.added("de")
        for (access in listOf(Access.PASSWORD, Access.AUTHORISED_IP)) {
            val options = when (access) {
                Access.PASSWORD -> PlaywrightGuide.withPassword(german, USERNAME, HARD_PASSWORD)
                else -> Browser.NewContextOptions().setProxy(Proxy("http://${german.hostAndPort}")).also { proxied.authoriseThisMachine() }
            }
            for (scheme in listOf("http", "https")) {
                val (status, exit) = visit(options, proxied.site.url(scheme)) { it.status() to it.headerValue("X-ProxyMesh-IP") }
                assertEquals(200, status)
                // The browser may still have asked for the icon of the page before this one.
                assertTrue(proxied.cleanlySeen().any { it.scheme == scheme })
                val method = if (scheme == "http") "GET" else "CONNECT"
                val request = proxied.ofPages().first { it.text("method") == method }
                assertEquals(access.recorded to USERNAME, request.kindOfCredentials() to request.text("account"))
                assertEquals("de", request.text("proxy"))
                assertEquals(if (scheme == "http") request.text("exit_ip") else null, exit)
            }
        }
    }

    @Test
    fun `a refusal is not taken for a page`() = Proxied().use { proxied ->
        val wrong = PlaywrightGuide.withPassword(proxied.open, USERNAME, "wrong")
        assertThrows(PlaywrightException::class.java) { visit(wrong, proxied.site.url("https")) {} }
        val requests = proxied.sandbox.proxied().filter { it.kindOfCredentials() == "basic" }
        assertTrue(requests.isNotEmpty() && requests.none { it.text("status") == "200" }, requests::toString)
        assertTrue(proxied.site.seen().isEmpty())
    }

    /** This is why the guide says that a browser cannot choose the exit. */
    @Test
    fun `extra headers reach the site, not the proxy`() = Proxied().use { proxied ->
        proxied.authoriseThisMachine()
        val options = Browser.NewContextOptions().setProxy(Proxy("http://${proxied.open.hostAndPort}"))
            .setExtraHTTPHeaders(proxied.open.steer(ExitChoice(country = "DE")).headers())
        assertEquals(200, visit(options, proxied.site.url("https")) { it.status() })
        assertTrue(proxied.site.seen().any { it.headers["x-proxymesh-country"] == "DE" })
        assertEquals(emptyList<Pair<String, String>>(), proxied.ofPages().first().steering())
    }
}
