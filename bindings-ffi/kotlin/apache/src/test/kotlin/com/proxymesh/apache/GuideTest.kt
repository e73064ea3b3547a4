package com.proxymesh.apache

import com.proxymesh.support.Proxied
import com.proxymesh.support.USERNAME
import com.proxymesh.support.assertGuideShows
import com.proxymesh.support.text
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** The code in `docs/jvm.md`. */
class GuideTest {
    @Test
    fun `the guide shows the code that is tested here`() =
        assertGuideShows("Apache HttpClient", "com/proxymesh/apache/Guide.kt", "com/proxymesh/apache/GuideInJava.java")

    @Test
    fun `the code works`() = Proxied().use { proxied ->
        for (scheme in listOf("http", "https")) {
            guide(trusting(), proxied.withPassword, proxied.site.url(scheme))
            guide(trusting(), proxied.withPassword.using(USERNAME, "wrong"), proxied.site.url(scheme))
            repeat(2) { GuideInJava.guide(trusting(), proxied.withPassword, proxied.site.url(scheme)) }
            assertEquals(listOf("200", "407", "200", "200"), proxied.sandbox.proxied().map { it.text("status") })
            assertEquals(3, proxied.cleanlySeen().size)
        }
    }
}
