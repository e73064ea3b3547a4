package com.proxymesh

import java.io.File
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** A class with a name that Java or Kotlin uses could not be used beside it without a long name or an alias. */
class NamesTest {
    @Test
    fun `no class has the name of one that programs often use`() {
        val folder = File(ProxyServer::class.java.protectionDomain.codeSource.location.toURI()).resolve("com/proxymesh")
        val names = folder.list().orEmpty().filter { it.endsWith(".class") && '$' !in it && it != "package-info.class" }
            .map { it.removeSuffix(".class") }
        assertTrue("ProxyServer" in names)
        val packages = Any::class.java.module.descriptor.exports().filter { !it.isQualified }.map { it.source() } + KOTLIN
        assertTrue("java.net" in packages && "java.util.concurrent" in packages)
        assertEquals(emptyList<String>(), names.flatMap { name -> packages.map { "$it.$name" } }.filter(::exists))
    }

    private fun exists(name: String) = try {
        Class.forName(name, false, javaClass.classLoader)
        true
    } catch (_: ClassNotFoundException) {
        false
    }

    private companion object {
        /** The packages that Kotlin imports by default, except Java's, and those for durations and coroutines. */
        val KOTLIN = listOf("", ".annotation", ".collections", ".comparisons", ".io", ".ranges", ".sequences", ".text", ".jvm", ".time")
            .map { "kotlin$it" } + "kotlinx.coroutines"
    }
}
