package com.proxymesh.support

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.readText

/** What a process has printed to its output and to its errors. */
data class Printed(val output: String, val errors: String)

/** The version of this Java. */
val JAVA: Int = Runtime.version().feature()

/** Runs [Application] in a process of its own, with these flags of Java, and with these jars besides those of the tests. */
fun startApplication(
    flags: List<String>,
    environment: Map<String, String> = emptyMap(),
    arguments: List<String> = emptyList(),
    jars: List<Path> = emptyList(),
): Printed {
    val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
    val classPath = (listOf(System.getProperty("java.class.path")) + jars).joinToString(File.pathSeparator)
    val main = listOf("-cp", classPath, "com.proxymesh.support.Application")
    val builder = ProcessBuilder(listOf(java) + flags + main + arguments)
    builder.environment() += environment
    // The JVM would mention this variable.
    builder.environment() -= "JAVA_TOOL_OPTIONS"
    val (output, errors) = List(2) { Files.createTempFile("application", ".txt") }
    try {
        val process = builder.redirectOutput(output.toFile()).redirectError(errors.toFile()).start()
        val ended = process.waitFor(1, TimeUnit.MINUTES)
        process.destroyForcibly()
        val printed = Printed(output.readText().trim(), errors.readText().trim())
        check(ended && process.exitValue() == 0) { printed }
        return printed
    } finally {
        listOf(output, errors).forEach(Files::delete)
    }
}
