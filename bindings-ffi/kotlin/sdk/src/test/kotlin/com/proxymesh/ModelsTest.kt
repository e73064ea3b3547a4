package com.proxymesh

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

class ModelsTest {
    @Test
    fun `a proxy has a name, an URL, and one with credentials in it`() {
        val proxy = Proxy("us-ca.proxymesh.com")
        assertEquals("us-ca", proxy.name)
        assertEquals(31280, proxy.port)
        assertEquals("us-ca.proxymesh.com:31280", proxy.toString())
        assertEquals("http://us-ca.proxymesh.com:31280", proxy.url)
        assertEquals("http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280", proxy.url("me@ex.com", "a b"))
        assertEquals(proxy, Proxy("us-ca.proxymesh.com", 31280))
        assertEquals(proxy.hashCode(), Proxy("us-ca.proxymesh.com", 31280).hashCode())
        assertNotEquals(proxy, Proxy("us-ca.proxymesh.com", 1))
    }

    @Test
    fun `a proxy that is none is refused by the core`() {
        for ((host, port) in listOf("" to 1, "a b" to 1, "x.example" to 0, "x.example" to -1, "x.example" to 65536)) {
            assertEquals("proxy", assertThrows(ValidationException::class.java) { Proxy(host, port) }.field)
        }
    }

    @Test
    fun `values compare, copy and print`() {
        val ip = LabeledIp("203.0.113.7", "office")
        assertEquals(ip, ip.copy())
        assertNotEquals(ip, ip.copy(label = ""))
        assertEquals("LabeledIp(ip=203.0.113.7, label=office)", ip.toString())
        val (address, label) = ip
        assertEquals("203.0.113.7" to "office", address to label)
    }
}
