package com.proxymesh

import com.proxymesh.internal.keepThreadsAttached
import com.proxymesh.internal.version

/** The native library, which is loaded when it is first needed. */
internal object NativeLibrary {
    // Loaded once: after the JVM has failed to initialise a class, it tells its next user less.
    private val trouble: String? by lazy {
        try {
            version()
            keepThreadsAttached()
            null
        } catch (error: VirtualMachineError) {
            throw error
        } catch (error: Error) {
            describe(error)
        }
    }

    /** Throws [ConfigException] where it cannot be loaded. */
    fun load() {
        trouble?.let { throw ConfigException(it, it) }
    }

    private fun describe(error: Error): String {
        val causes = generateSequence<Throwable>(error) { it.cause }.toList()
        val all = (causes + causes.flatMap { it.suppressed.asList() }).mapNotNull { it.message }.joinToString(" ")
        val said = causes.last().let { it.message ?: it.toString() }.lineSequence().first().trimEnd('.', ':')
        val cure = when {
            OTHER_LIBC.any { it in all } ->
                "It needs glibc $GLIBC or later: on Alpine and other systems with musl, use an image with glibc, such as Debian's"
            "not found in resource path" in all || "NoClassDefFoundError" in error.toString() ->
                "Use the jar proxymesh-native with the library for this platform, in the version of proxymesh, and with JNA; or name " +
                    "the folder of the library with -Djna.library.path"
            else ->
                "If the folder for temporary files is mounted noexec, or cannot be written to, name another one with -Djna.tmpdir"
        }
        val platform = "${System.getProperty("os.name")} ${System.getProperty("os.arch")}"
        return "the native library cannot be loaded on $platform: $said. $cure"
    }

    private const val GLIBC = "2.34"
    private val OTHER_LIBC = listOf("GLIBC_", "musl", "ld-linux")
}
