package com.proxymesh

import com.proxymesh.internal.loadLibrary
import java.io.Closeable
import java.io.File
import java.io.FileInputStream
import java.io.IOException

/** The native library. It is loaded when it is first needed. */
internal object NativeLibrary {
    @Volatile private var loaded = false
    private var trouble: String? = null

    /** Throws [ConfigException] if the library cannot be loaded. The next call tries again. */
    fun load() {
        if (!loaded) loadNow()
    }

    @Synchronized
    private fun loadNow() {
        if (loaded) return
        if (!descriptorsLeft()) fail("the process has no file descriptors left")
        try {
            loadLibrary()
            loaded = true
        } catch (error: OutOfMemoryError) {
            if ("native thread" !in error.message.orEmpty()) throw error
            fail(said(error))
        } catch (error: VirtualMachineError) {
            throw error
        } catch (error: Error) {
            // The JVM gives the reason only the first time.
            if ("Could not initialize class" !in error.message.orEmpty()) trouble = null
            fail(trouble ?: explained(said(error), ::isNoexec).also { trouble = it })
        }
    }

    private fun fail(why: String): Nothing {
        val text = "could not load the native library on ${System.getProperty("os.name")} ${System.getProperty("os.arch")}: $why"
        throw ConfigException(text, text)
    }

    /** Whether enough file descriptors are left for JNA. If JNA runs out of them once, it never works again in that JVM. */
    private fun descriptorsLeft(): Boolean {
        val file = File("/dev/null")
        val held = mutableListOf<Closeable>()
        return try {
            if (file.exists()) repeat(SPARE) { held += FileInputStream(file) }
            true
        } catch (_: IOException) {
            false
        } finally {
            held.forEach(Closeable::close)
        }
    }

    private fun isNoexec(folder: File) = try {
        val file = File.createTempFile("proxymesh", null, folder)
        try {
            file.setExecutable(true) && !file.canExecute()
        } finally {
            file.delete()
        }
    } catch (_: IOException) {
        false
    }
}

/** The loader's message, in one line. */
internal fun said(error: Throwable): String {
    val causes = generateSequence(error) { it.cause }.toList()
    // JNA tries several places, and the jar is the last. An error about an existing file says more than one about a missing file.
    val tried = causes.flatMap { it.suppressed.asList() }.ifEmpty { causes.takeLast(1) }
    val last = tried.lastOrNull { it.message.orEmpty().startsWith("/") } ?: tried.last()
    if (last is ClassNotFoundException) return "the class ${last.message} is missing"
    return (last.message ?: last.toString()).lineSequence().first()
        .replace(Regex(""" in resource path \(.*"""), "")
        .replace(Regex("""(/\S+: )\1"""), "$1")
        .trimEnd('.', ':', ' ')
}

/** The same message with the fix, if it is known. The patterns match messages of JNA and of the loaders of glibc, musl and macOS. */
internal fun explained(said: String, isNoexec: (File) -> Boolean): String {
    val cure = when {
        OTHER_VERSION.containsMatchIn(said) -> return "its version differs: use the same version of proxymesh and proxymesh-native"
        MUSL.containsMatchIn(said) -> "It needs glibc $GLIBC or later: instead of Alpine or another system with musl, use one with glibc, such as Debian"
        OLD_GLIBC.containsMatchIn(said) -> "It needs glibc $GLIBC or later: use a newer system or image"
        "the class com.sun.jna" in said -> "JNA is required at run time: add net.java.dev.jna:jna"
        "libjnidispatch" in said && "not found" in said -> "JNA has no library for this platform"
        "not found" in said && "proxymesh_ffi" in said ->
            "The proxymesh-native jar has no library for this platform: use a jar of the same version that has one, or set " +
                "-Djna.library.path to the library's folder"
        OTHER_FILE.containsMatchIn(said) -> "The file is damaged or was built for another platform: replace it"
        "Too many open files" in said -> null
        "Failed to create temporary file" in said ->
            "JNA unpacks the library into a folder: set -Djna.tmpdir to a writable one with enough space"
        else -> {
            val missing = MISSING.find(said)?.let { "This system lacks ${it.groupValues[1]}: install it" }
            val folder = UNMAPPED.find(said)?.let { File(it.groupValues[1]).parentFile }
            missing ?: folder?.takeIf(isNoexec)?.let { "The folder is mounted noexec: set -Djna.tmpdir to another one" }
        }
    }
    return listOfNotNull(said, cure).joinToString(". ")
}

/** The file descriptors that JNA needs, including those for what the JVM itself opens then: jars, and logging and security settings. */
private const val SPARE = 32
private const val GLIBC = "2.34"
private val OTHER_VERSION = Regex("API checksum mismatch|contract version mismatch|Error looking up function")
private val MUSL = Regex("Error loading shared library|Error relocating")
private val OLD_GLIBC = Regex("version .GLIBC_.* not found")
private const val NO_FILE = "cannot open shared object file: No such file or directory"

// JNA opens a path only if the file exists. For a file built for another platform, glibc reports "No such file".
private val OTHER_FILE = Regex(
    "file too short|cannot read file data$|invalid ELF header|wrong ELF class|ELF file OS ABI invalid|incompatible architecture|/[^:]+: $NO_FILE",
)
private val MISSING = Regex("^([^/:]+): $NO_FILE")
private val UNMAPPED = Regex("^(/[^:]+): failed to map segment from shared object")
