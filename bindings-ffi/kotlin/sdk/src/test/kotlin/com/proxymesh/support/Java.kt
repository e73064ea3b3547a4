package com.proxymesh.support

import java.nio.file.Path
import java.util.concurrent.TimeUnit

/** What a process has printed to its output and to its errors. */
data class Printed(val output: String, val errors: String)

/** The version of this Java. */
val JAVA: Int = Runtime.version().feature()

/** Runs [Application] in a process of its own, with these flags of Java. */
fun startApplication(flags: List<String>, environment: Map<String, String> = emptyMap(), arguments: List<String> = emptyList()): Printed {
    val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
    val main = listOf("-cp", System.getProperty("java.class.path"), "com.proxymesh.support.Application")
    val builder = ProcessBuilder(listOf(java) + flags + main + arguments)
    builder.environment() += environment
    // The JVM would mention this variable.
    builder.environment() -= "JAVA_TOOL_OPTIONS"
    val process = builder.start()
    val output = process.inputReader().readText()
    val errors = process.errorReader().readText()
    check(process.waitFor(1, TimeUnit.MINUTES) && process.exitValue() == 0) { "$output$errors" }
    return Printed(output.trim(), errors.trim())
}
