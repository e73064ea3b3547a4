package com.proxymesh

import com.proxymesh.support.Application
import com.proxymesh.support.JAVA
import com.proxymesh.support.PASSWORD
import com.proxymesh.support.Printed
import com.proxymesh.support.Reply
import com.proxymesh.support.Server
import com.proxymesh.support.USERNAME
import com.proxymesh.support.startApplication
import com.proxymesh.support.until
import java.io.File
import java.lang.ref.WeakReference
import java.net.URLClassLoader
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CyclicBarrier
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.concurrent.thread
import kotlin.io.path.exists
import kotlin.io.path.getLastModifiedTime
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readBytes
import kotlin.io.path.writeText
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledOnOs
import org.junit.jupiter.api.condition.OS
import org.junit.jupiter.api.io.TempDir

/** Where the native library is unpacked, and what several class loaders share. consumer.sh tests folders that are mounted noexec. */
class LibraryTest {
    @TempDir lateinit var folder: Path

    private val us = Reply.Answer(200, """{"US": 1}""")
    private val own get() = folder.resolve("proxymesh-${System.getProperty("user.name")}")
    private val flag get() = "-Dproxymesh.library.folder=$folder"

    /** Since version 24, Java warns about any native code without this flag. */
    private val allowed = if (JAVA < 24) emptyList() else listOf("--enable-native-access=ALL-UNNAMED")

    private fun start(vararg flags: String, environment: Map<String, String> = emptyMap()) =
        startApplication(allowed + flags, environment)

    @Test
    fun `the library is loaded and used without a warning, even if the JVM checks each use of JNI`() = Server(us).use { server ->
        for (flags in listOf(listOf(flag), listOf(flag, "-Xcheck:jni"))) {
            assertEquals(Printed("loaded", ""), startApplication(allowed + flags, arguments = listOf(server.baseUrl)))
        }
    }

    @Test
    fun `a process ends during calls without a complaint`() = Server(us).use { server ->
        repeat(5) {
            assertEquals(Printed("loaded", ""), startApplication(allowed + flag, arguments = listOf(server.baseUrl, "leave")))
        }
    }

    @Test
    fun `the library is unpacked once, and a damaged file is replaced`() {
        assertEquals(Printed("loaded", ""), start(flag))
        val file = own.listDirectoryEntries().single()
        val (bytes, time) = file.readBytes() to file.getLastModifiedTime()
        assertTrue(Regex("[0-9a-f]{16}-(lib)?proxymesh_ffi\\.\\w+").matches(file.fileName.toString()), "$file")
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(own)))

        start(flag)
        assertEquals(time, file.getLastModifiedTime())
        file.writeText("damaged")
        assertEquals("loaded", start(flag).output)
        assertTrue(file.readBytes().contentEquals(bytes))
        assertEquals(listOf(file), own.listDirectoryEntries())
    }

    @Test
    fun `the user's cache is used, or else the folder for temporary files`() {
        val (caches, temporary) = listOf("caches", "temporary").map { Files.createDirectory(folder.resolve(it)) }
        fun used(folder: Path) = folder.resolve(own.fileName).exists()
        val flags = arrayOf("-Djava.io.tmpdir=$temporary", "-Duser.home=$folder")
        assertEquals("loaded", start(*flags, environment = mapOf("XDG_CACHE_HOME" to "$caches")).output)
        assertEquals(listOf(true, false), listOf(caches, temporary).map(::used))

        val file = folder.resolve("file").also { it.writeText("This is not a folder.") }
        assertEquals("loaded", start(*flags, environment = mapOf("XDG_CACHE_HOME" to "$file")).output)
        assertTrue(used(temporary))
    }

    @Test
    fun `a folder that other users can write to is refused`() {
        Files.createDirectory(own)
        Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxrwxrwx"))
        val text = start(flag).output
        assertTrue("could not unpack it into $folder: java.io.IOException: other users can write to it. Set -D" in text, text)
        assertEquals(emptyList<Path>(), own.listDirectoryEntries())
    }

    @Test
    fun `a property names another library`() {
        start(flag)
        val file = own.listDirectoryEntries().single()
        val other = folder.resolve("other")
        assertEquals("loaded", start("-Dproxymesh.library=$file", "-Dproxymesh.library.folder=$other").output)
        assertFalse(other.exists())
        val text = start("-Dproxymesh.library=$folder/none.so").output
        assertTrue(text.startsWith("could not load the native library on ") && "$folder/none.so" in text, text)
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    fun `eight class loaders share one library and one thread, and are collected`() = Server(us).use { server ->
        Application.run(server.baseUrl) // with the class loader of the tests
        val before = mapped().size to workers()
        val references = deployEight(server.baseUrl) {
            // A thread that looks up a name has the worker's name at first.
            runBlocking { until("there is one library and one worker") { before == mapped().size to workers() } }
        }
        runBlocking {
            until("the class loaders are collected") {
                System.gc()
                references.all { it.get() == null }
            }
        }
        Application.run(server.baseUrl)
        // The second names are deleted as soon as the library is loaded.
        val unpacked = Path.of(System.getProperty("proxymesh.library.folder"), own.fileName.toString())
        assertEquals(emptyList<Path>(), unpacked.listDirectoryEntries("loader-*"))
    }

    /** A class loader waits in a call of each kind until the other one is in the same call. */
    @Test
    fun `two class loaders make calls at the same time`() {
        val (isProven, both) = AtomicBoolean() to CyclicBarrier(2)
        val loaders = ConcurrentLinkedQueue<URLClassLoader>()
        Server {
            if (isProven.get()) both.await(20, TimeUnit.SECONDS)
            us
        }.use { server ->
            // The class loaders share the gate, too. Until the credentials of an open client have worked, it lets one call through at a time.
            BlockingClient(USERNAME, PASSWORD, baseUrl = server.baseUrl).use { client ->
                client.geo.open()
                isProven.set(true)
                List(2) { thread { loaders += deploy(server.baseUrl) } }.forEach(Thread::join)
            }
            assertEquals(2, loaders.size)
            assertEquals(1 + 2 * 3, server.requests.size)
        }
        val (one, other) = loaders.map { it.loadClass(Client::class.java.name) }
        assertNotSame(one, other)
        loaders.forEach(URLClassLoader::close)
    }

    /** Nothing outside of this function refers to the class loaders. */
    private fun deployEight(baseUrl: String, check: () -> Unit): List<WeakReference<URLClassLoader>> {
        val deployed = List(8) { deploy(baseUrl) }
        check()
        deployed.forEach(URLClassLoader::close)
        return deployed.map { WeakReference(it) }
    }

    /** Runs the application with a class loader of its own, on a thread that ends. */
    private fun deploy(baseUrl: String): URLClassLoader {
        val urls = System.getProperty("java.class.path").split(File.pathSeparator).map { File(it).toURI().toURL() }
        val loader = URLClassLoader(urls.toTypedArray(), ClassLoader.getPlatformClassLoader())
        var failure: Throwable? = null
        thread(contextClassLoader = loader) {
            failure = runCatching {
                loader.loadClass(Application::class.java.name).getMethod("run", String::class.java).invoke(null, baseUrl)
            }.exceptionOrNull()
        }.join()
        failure?.let { throw it }
        return loader
    }

    /** The files of the library that are mapped, by device and inode. */
    private fun mapped(): Set<List<String>> =
        File("/proc/self/maps").readLines().filter { "proxymesh_ffi" in it }.map { it.split(" ").slice(3..4) }.toSet()

    private fun workers(): Int = File("/proc/self/task").listFiles()!!.count { task ->
        // Another thread may end in the meantime.
        runCatching { File(task, "comm").readText().trim() }.getOrNull() == "proxymesh"
    }
}
