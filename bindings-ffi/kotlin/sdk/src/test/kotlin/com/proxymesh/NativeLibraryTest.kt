package com.proxymesh

import com.sun.jna.NativeLibrary
import java.io.File
import java.io.IOException
import java.nio.file.Path
import kotlin.io.path.writeBytes
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The message if the native library cannot be loaded. consumer.sh tests it with libraries that really cannot be loaded. */
class NativeLibraryTest {
    @TempDir lateinit var folder: Path

    private val glibc = "It needs glibc 2.34 or later: use a newer system or image"
    private val musl = "It needs glibc 2.34 or later: instead of Alpine or another system with musl, use one with glibc, such as Debian"
    private val otherFile = "The file is damaged or was built for another platform: replace it"
    private val otherFolder = "JNA unpacks the library into a folder: set -Djna.tmpdir to a writable one with enough space"

    private fun explained(said: String) = explained(said) { false }

    @Test
    fun `the message for a known cause contains the fix`() {
        val known = mapOf(
            "Error loading shared library libgcc_s.so.1: No such file or directory (needed by /tmp/jna1.tmp)" to musl,
            "Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /tmp/jna1.tmp)" to musl,
            "Error relocating /tmp/jna1.tmp: gnu_get_libc_version: symbol not found" to musl,
            "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /tmp/jna1.tmp)" to glibc,
            "/tmp/jna1.tmp: cannot open shared object file: No such file or directory" to otherFile,
            "/tmp/jna1.tmp: wrong ELF class: ELFCLASS32" to otherFile,
            "/tmp/jna1.tmp: ELF file OS ABI invalid" to otherFile,
            "dlopen(/tmp/jna1.tmp, 0x0009): tried: '/tmp/jna1.tmp' (mach-o file, but is an incompatible architecture (have 'arm64', need 'x86_64'))"
                to otherFile,
            "libgcc_s.so.1: cannot open shared object file: No such file or directory" to "This system lacks libgcc_s.so.1: install it",
            "Failed to create temporary file for proxymesh_ffi library: No space left on device" to otherFolder,
            "Failed to create temporary file for proxymesh_ffi library: JNA temporary directory '/proc/x' does not exist" to otherFolder,
            "Native library (com/sun/jna/linux-foo/libjnidispatch.so) not found" to "JNA has no library for this platform",
            "the class com.sun.jna.NativeLibrary is missing" to "JNA is required at run time: add net.java.dev.jna:jna",
        )
        for ((said, cure) in known) assertEquals("$said. $cure", explained(said))
        for (said in listOf("UniFFI API checksum mismatch: try …", "Error looking up function 'uniffi_x': /tmp/x.so: undefined symbol: uniffi_x")) {
            assertEquals("its version differs: use the same version of proxymesh and proxymesh-native", explained(said))
        }
    }

    @Test
    fun `the message for an unknown cause contains no fix`() {
        val unknown = listOf(
            "/opt/musl/ld-linux/jna1.tmp: cannot open shared object file: Permission denied",
            "/tmp/jna1.tmp: cannot open shared object file: Too many open files",
            "/tmp/jna1.tmp: cannot read file data: Input/output error",
            "/tmp/jna1.tmp: failed to map segment from shared object",
            "/tmp/jna1.tmp: undefined symbol: x",
            "Failed to create temporary file for proxymesh_ffi library: Too many open files",
            "unable to create native thread: possibly out of memory or process/resource limits reached",
            "Ein Programmierer hat versagt",
        )
        for (said in unknown) assertEquals(said, explained(said))
    }

    @Test
    fun `the message for a file that cannot be mapped says if its folder is mounted noexec`() {
        val said = "/x/y/jna1.tmp: failed to map segment from shared object"
        val asked = mutableListOf<File>()
        val text = explained(said) { asked.add(it) }
        assertEquals("$said. The folder is mounted noexec: set -Djna.tmpdir to another one", text)
        assertEquals(listOf(File("/x/y")), asked)
    }

    @Test
    fun `the message for a file that is not a library says so`() {
        for ((name, content) in mapOf("empty" to "", "short" to "\u007fELF", "text" to "x".repeat(1000))) {
            val file = folder.resolve("$name.so").also { it.writeBytes(content.toByteArray()) }
            val error = assertThrows(UnsatisfiedLinkError::class.java) { NativeLibrary.getInstance(file.toString()) }
            val text = explained(said(error))
            assertTrue(text.startsWith("$file: ") && text.endsWith(". $otherFile"), text)
        }
    }

    @Test
    fun `the message is JNA's last one, or one about an existing file`() {
        val nowhere = assertThrows(UnsatisfiedLinkError::class.java) {
            NativeLibrary.getInstance("proxymesh_ffi_of_nobody", javaClass.classLoader)
        }
        assertTrue(Regex("Native library \\(.*proxymesh_ffi_of_nobody.*\\) not found").matches(said(nowhere)), said(nowhere))
        assertTrue(explained(said(nowhere)).endsWith("or set -Djna.library.path to the library's folder"))

        val error = UnsatisfiedLinkError("Unable to load library 'proxymesh_ffi':\n…")
        error.addSuppressed(UnsatisfiedLinkError("libproxymesh_ffi.so: cannot open shared object file: No such file or directory"))
        error.addSuppressed(UnsatisfiedLinkError("/opt/x/libproxymesh_ffi.so: file too short"))
        error.addSuppressed(IOException("Native library (linux-x86-64/libproxymesh_ffi.so) not found in resource path (a.jar:b.jar)"))
        assertEquals("/opt/x/libproxymesh_ffi.so: file too short", said(error))
    }

    @Test
    fun `messages that the JVM wraps are unwrapped`() {
        val twice = UnsatisfiedLinkError("/t/jna1.tmp: /t/jna1.tmp: failed to map segment from shared object")
        assertEquals("/t/jna1.tmp: failed to map segment from shared object", said(twice))
        assertEquals("no luck", said(ExceptionInInitializerError(RuntimeException("no luck."))))
        val missing = NoClassDefFoundError("com/sun/jna/Native").apply { initCause(ClassNotFoundException("com.sun.jna.Native")) }
        assertEquals("the class com.sun.jna.Native is missing", said(missing))
    }
}
