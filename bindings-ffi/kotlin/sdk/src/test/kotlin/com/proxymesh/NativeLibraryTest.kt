package com.proxymesh

import com.proxymesh.internal.isMusl
import com.proxymesh.internal.platform
import java.io.File
import java.nio.file.Path
import kotlin.io.path.writeBytes
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The message if the native library cannot be loaded. consumer.sh tests it with libraries that really cannot be loaded. */
class NativeLibraryTest {
    @TempDir lateinit var folder: Path

    private val glibc = "It needs glibc 2.17 or later: use a newer system or image"
    private val musl = "The library is for glibc, and this JVM uses musl: use the library for linux-musl"
    private val otherFile = "The file is damaged or was built for another platform: replace it"
    private val otherFolder = "Set -Dproxymesh.library.folder to a writable folder with enough space"

    private fun explained(said: String) = explained(said) { false }

    @Test
    fun `the message for a known cause contains the fix`() {
        val known = mapOf(
            "Error loading shared library libgcc_s.so.1: No such file or directory (needed by /tmp/x.so)"
                to "This system lacks libgcc_s.so.1: install it",
            "Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /tmp/x.so)" to musl,
            "Error relocating /tmp/x.so: gnu_get_libc_version: symbol not found" to musl,
            "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /tmp/x.so)" to glibc,
            "/tmp/x.so: cannot open shared object file: No such file or directory" to otherFile,
            "/tmp/x.so: wrong ELF class: ELFCLASS32" to otherFile,
            "/tmp/x.so: ELF file OS ABI invalid" to otherFile,
            "/tmp/x.so: cannot open shared object file: No such file or directory (Possible cause: can't load ARM .so on a AMD 64 platform)"
                to otherFile,
            "dlopen(/tmp/x.so, 0x0009): tried: '/tmp/x.so' (mach-o file, but is an incompatible architecture (have 'arm64', need 'x86_64'))"
                to otherFile,
            "/tmp/x.so: libgcc_s.so.1: cannot open shared object file: No such file or directory" to "This system lacks libgcc_s.so.1: install it",
            "could not unpack it into /x: java.io.IOException: No space left on device" to otherFolder,
            "could not unpack it into /proc/x: java.nio.file.NoSuchFileException: /proc/x" to otherFolder,
            "the proxymesh-native jar has no library for linux-riscv64"
                to "The SDK supports Linux, macOS and Windows on x86-64 and ARM64. For another platform, build the library from the SDK's " +
                "source, and set -Dproxymesh.library to its file",
            "its version is 3.2.1, not 1.2.3" to "Use the same version of proxymesh and proxymesh-native",
            "it is not the native library of ProxyMesh" to "Use the same version of proxymesh and proxymesh-native",
        )
        for ((said, cure) in known) assertEquals("$said. $cure", explained(said))
    }

    @Test
    fun `the message for an unknown cause contains no fix`() {
        val unknown = listOf(
            "/opt/musl/ld-linux/x.so: cannot open shared object file: Permission denied",
            "/tmp/x.so: cannot open shared object file: Too many open files",
            "/tmp/x.so: cannot read file data: Input/output error",
            "/tmp/x.so: failed to map segment from shared object",
            "/tmp/x.so: undefined symbol: x",
            "could not unpack it into /x: java.nio.file.FileSystemException: /x/1.tmp: Too many open files",
            "Ein Programmierer hat versagt",
        )
        for (said in unknown) assertEquals(said, explained(said))
    }

    @Test
    fun `the message for a file that cannot be mapped says if its folder is mounted noexec`() {
        val said = "/x/y/z.so: failed to map segment from shared object"
        val asked = mutableListOf<File>()
        val text = explained(said) { asked.add(it) }
        assertEquals("$said. The folder is mounted noexec: set -Dproxymesh.library.folder to another one", text)
        assertEquals(listOf(File("/x/y")), asked)
    }

    @Test
    fun `the message for a file that is not a library says so`() {
        for ((name, content) in mapOf("empty" to "", "short" to "\u007fELF", "text" to "x".repeat(1000))) {
            val file = folder.resolve("$name.so").also { it.writeBytes(content.toByteArray()) }
            val error = assertThrows(UnsatisfiedLinkError::class.java) { System.load(file.toString()) }
            val text = explained(said(error))
            assertTrue(text.startsWith("$file: ") && text.endsWith(". $otherFile"), text)
        }
    }

    @Test
    fun `each platform has a folder in the jar`() {
        val folders = mapOf(
            listOf("Linux", "amd64") to "linux-x86_64",
            listOf("Linux", "aarch64") to "linux-aarch64",
            listOf("Mac OS X", "x86_64") to "macos-x86_64",
            listOf("Mac OS X", "aarch64") to "macos-aarch64",
            listOf("Windows 11", "amd64") to "windows-x86_64",
            listOf("Windows Server 2022", "aarch64") to "windows-aarch64",
        )
        for ((given, folder) in folders) assertEquals(folder, platform(given[0], given[1], isMusl = false))
        assertEquals("linux-musl-x86_64", platform("Linux", "amd64", isMusl = true))
    }

    @Test
    fun `a process with musl has mapped it`() {
        fun mapped(file: String) = isMusl(folder.resolve("maps").also { it.writeBytes(line(file).toByteArray(Charsets.ISO_8859_1)) })
        val musl = listOf("/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1", "/usr/lib/libc.so", "/lib/ld-musl-x86_64.so.1 (deleted)")
        for (file in musl) assertTrue(mapped(file), file)
        val glibc = listOf(
            "/usr/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc-2.17.so", "/lib64/ld-linux-x86-64.so.2", "/srv/ld-musl-x86_64.so.1/a.jar", "/srv/\u00ff",
        )
        for (file in glibc) assertFalse(mapped(file), file)
        assertFalse(isMusl(folder.resolve("none")))
    }

    private fun line(file: String) = "7f3a1c000000-7f3a1c021000 r-xp 00000000 fe:00 1234                       $file\n"

    @Test
    fun `a message that the JVM repeats is shortened`() {
        val twice = UnsatisfiedLinkError("/t/x.so: /t/x.so: failed to map segment from shared object")
        assertEquals("/t/x.so: failed to map segment from shared object", said(twice))
    }
}
