package com.proxymesh.libraries

import com.proxymesh.ProxyServer
import com.proxymesh.support.Access
import com.proxymesh.support.HARD_PASSWORD
import com.proxymesh.support.Proxied
import com.proxymesh.support.USERNAME
import com.proxymesh.support.kindOfCredentials
import com.proxymesh.support.text
import java.time.Duration
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.openqa.selenium.By
import org.openqa.selenium.chrome.ChromeDriver
import org.openqa.selenium.chrome.ChromeDriverService
import org.openqa.selenium.chrome.ChromeOptions

/** Selenium opens pages with Chromium, through the sandbox's proxies. */
class SeleniumTest {
    private fun drive(proxy: ProxyServer, test: (ChromeDriver) -> Unit) {
        val options = ChromeOptions().apply {
            setBinary(chromium())
            setAcceptInsecureCerts(true)
            addArguments(listOf("--headless=new") + FLAGS)
            enableBiDi()
            SeleniumGuide.use(this, proxy)
        }
        val service = ChromeDriverService.Builder().usingDriverExecutable(installed("chromedriver")).build()
        val driver = ChromeDriver(service, options)
        try {
            driver.manage().timeouts().pageLoadTimeout(Duration.ofSeconds(20))
            test(driver)
        } finally {
            driver.quit()
        }
    }

    private val ChromeDriver.text get() = findElement(By.tagName("body")).text

    private fun Proxied.assertBoth(access: Access, name: String) {
        assertEquals(setOf("http", "https"), cleanlySeen().map { it.scheme }.toSet())
        val requests = ofPages()
        assertEquals(setOf("GET", "CONNECT"), requests.map { it.text("method") }.toSet())
        assertEquals(setOf(access.recorded to USERNAME), requests.map { it.kindOfCredentials() to it.text("account") }.toSet())
        assertEquals(setOf(name), requests.map { it.text("proxy") }.toSet())
    }

    @Test
    fun `an authorised IP works for http and https, with a proxy in the country`() = Proxied().use { proxied ->
        proxied.authoriseThisMachine()
        drive(proxied.added("de")) { driver ->
            for (scheme in listOf("http", "https")) {
                driver.get(proxied.site.url(scheme))
                assertEquals("page", driver.text)
            }
        }
        proxied.assertBoth(Access.AUTHORISED_IP, "de")
    }

    @Test
    fun `a password works if it is given by BiDi with the first page`() = Proxied().use { proxied ->
        drive(proxied.open) { driver ->
            SeleniumGuide.logIn(driver, USERNAME, HARD_PASSWORD, proxied.site.url("https"))
            assertEquals("page", driver.text)
            for (scheme in listOf("http", "https")) {
                driver.get(proxied.site.url(scheme))
                assertEquals("page", driver.text)
            }
        }
        proxied.assertBoth(Access.PASSWORD, "open")
    }

    @Test
    fun `a site that asks for a password does not get it`() = Proxied().use { proxied ->
        drive(proxied.open) { driver ->
            SeleniumGuide.logIn(driver, USERNAME, HARD_PASSWORD, proxied.site.url("https") + "401?WWW-Authenticate=Basic")
        }
        assertTrue(proxied.cleanlySeen().isNotEmpty())
    }

    @Test
    fun `a refused password is sent once`() = Proxied().use { proxied ->
        drive(proxied.open) { driver -> runCatching { SeleniumGuide.logIn(driver, USERNAME, "wrong", proxied.site.url("https")) } }
        assertEquals(1, proxied.sandbox.proxied().count { it.kindOfCredentials() == "basic" })
        assertTrue(proxied.site.seen().isEmpty())
    }

    @Test
    fun `without credentials, the page is empty, and nothing arrives at the site`() = Proxied().use { proxied ->
        drive(proxied.open) { driver ->
            for (scheme in listOf("http", "https")) {
                driver.get(proxied.site.url(scheme))
                val status = driver.executeScript("return performance.getEntriesByType('navigation')[0].responseStatus")
                assertEquals("" to 407L, driver.text to status)
            }
        }
        assertTrue(proxied.site.seen().isEmpty())
    }
}
