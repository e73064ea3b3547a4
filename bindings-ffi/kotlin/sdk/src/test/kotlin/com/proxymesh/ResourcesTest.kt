package com.proxymesh

import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledOnOs
import org.junit.jupiter.api.condition.OS

/** In a process that runs out of descriptors, calls throw exceptions of the SDK. They work again when descriptors are available. */
class ResourcesTest {
    @Test
    @EnabledOnOs(OS.LINUX)
    fun `with 0 to 40 descriptors left, and with 1,000 unused clients`() = Server(Reply.Answer(200, """{"ips": []}""")).use { server ->
        val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        // The JVM cannot raise this limit, and these flags keep it from starting threads at any time.
        val process = ProcessBuilder(
            "sh", "-c", "ulimit -n 300 && exec \"$@\"", "sh",
            java, "-XX:-UseDynamicNumberOfCompilerThreads", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"),
            "com.proxymesh.support.FewResourcesKt", server.baseUrl.replace("127.0.0.1", "localhost"),
        ).redirectErrorStream(true).start()
        val lines = process.inputReader().readLines()
        assertTrue(process.waitFor(1, TimeUnit.MINUTES) && process.exitValue() == 0, lines.joinToString("\n"))

        fun ends(what: String) = lines.filter { it.startsWith("$what ") }.map { it.split(" ", limit = 3)[2] }
        val (_, clients, before, after) = lines.single { it.startsWith("clients") }.split(" ")
        assertEquals(listOf("1000", before), listOf(clients, after), "descriptors and threads")

        for (what in listOf("first", "suspending", "blocking")) {
            val ends = ends(what)
            assertEquals(41, ends.size, what)
            assertTrue(ends.first() != "fine" && ends.last() == "fine", "$what: $ends")
            assertTrue(ends.all { it == "fine" || it.startsWith("com.proxymesh.ConnectionException") && "(EMFILE)" in it }, "$what: $ends")
            println("$what: ${ends.count { it != "fine" }} of 41 failed, all with EMFILE")
        }
        val loads = ends("load")
        assertTrue(loads.first().startsWith("com.proxymesh.ConfigException: could not load the native library on Linux"), loads.first())
        assertTrue(loads.all { it == "fine" || it.endsWith(": the process has no file descriptors left") }, "$loads")
        assertEquals("fine", loads.last())
        println("load: ${loads.count { it != "fine" }} of 41 failed; 1,000 clients of each kind: $before descriptors/threads before, $after after")
    }
}
