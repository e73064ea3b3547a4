package com.proxymesh

import com.proxymesh.internal.FOLDER_PROPERTY
import com.proxymesh.internal.LIBRARY_PROPERTY
import com.proxymesh.internal.LibraryException
import com.proxymesh.internal.loadLibrary
import java.io.Closeable
import java.io.File
import java.io.FileInputStream
import java.io.IOException

/** The native library. It is loaded when it is first needed. */
internal object NativeLibrary {
    @Volatile private var loaded = false

    /** Throws [ConfigException] if the library cannot be loaded. The next call tries again. */
    fun load() {
        if (!loaded) loadNow()
    }

    @Synchronized
    private fun loadNow() {
        if (loaded) return
        // Without this, the JVM would say that the jar has no library.
        if (!descriptorsLeft()) fail("the process has no file descriptors left")
        try {
            loadLibrary()
            loaded = true
        } catch (error: LibraryException) {
            fail(explained(error.message.orEmpty(), ::isNoexec))
        } catch (error: UnsatisfiedLinkError) {
            fail(explained(said(error), ::isNoexec))
        }
    }

    private fun fail(why: String): Nothing {
        val text = "could not load the native library on ${System.getProperty("os.name")} ${System.getProperty("os.arch")}: $why"
        throw ConfigException(text, text)
    }

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

/** The message of the system's loader, in one line. */
internal fun said(error: UnsatisfiedLinkError): String =
    error.message.orEmpty().lineSequence().first().replace(Regex("""(/\S+: )\1"""), "$1").trimEnd('.', ':', ' ')

/** The same message with the fix, if it is known. The patterns match messages of the JVM and of the loaders of glibc, musl and macOS. */
internal fun explained(said: String, isNoexec: (File) -> Boolean): String {
    val cure = when {
        OTHER_VERSION.containsMatchIn(said) -> "Use the same version of proxymesh and proxymesh-native"
        MUSL.containsMatchIn(said) -> "The library is for glibc, and this JVM uses musl: use the library for linux-musl"
        OLD_GLIBC.containsMatchIn(said) -> "It needs glibc $GLIBC or later: use a newer system or image"
        "jar has no library" in said -> "The SDK supports Linux, macOS and Windows on x86-64 and ARM64. For another platform, build the library " +
            "from the SDK's source, and set -D$LIBRARY_PROPERTY to its file"
        OTHER_FILE.containsMatchIn(said) -> "The file is damaged or was built for another platform: replace it"
        "Too many open files" in said -> null
        "could not unpack it" in said -> "Set -D$FOLDER_PROPERTY to a writable folder with enough space"
        else -> {
            val missing = MISSING.find(said)?.let { "This system lacks ${it.groupValues.last(String::isNotEmpty)}: install it" }
            val folder = UNMAPPED.find(said)?.let { File(it.groupValues[1]).parentFile }
            missing ?: folder?.takeIf(isNoexec)?.let { "The folder is mounted noexec: set -D$FOLDER_PROPERTY to another one" }
        }
    }
    return listOfNotNull(said, cure).joinToString(". ")
}

/** The file descriptors that the JVM needs to find and open the library. */
private const val SPARE = 16
private const val GLIBC = "2.17"
private val OTHER_VERSION = Regex("its version is |is not the native library of ProxyMesh")
private val MUSL = Regex("Error loading shared library ld-linux|Error relocating")
private val OLD_GLIBC = Regex("version .GLIBC_.* not found")
private const val NO_FILE = "cannot open shared object file: No such file or directory"

private val OTHER_FILE = Regex(
    "file too short|cannot read file data$|invalid ELF header|wrong ELF class|ELF file OS ABI invalid|incompatible architecture|" +
        "Possible cause: |/[^:]+: $NO_FILE",
)
private val MISSING = Regex("^(?:/[^:]+: )?(?:([^/:]+): $NO_FILE|Error loading shared library ([^/:]+): No such file)")
private val UNMAPPED = Regex("^(/[^:]+): failed to map segment from shared object")
