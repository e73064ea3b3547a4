package com.proxymesh

import com.proxymesh.support.BASIC
import com.proxymesh.support.JAVA
import com.proxymesh.support.PASSWORD
import com.proxymesh.support.PATIENCE
import com.proxymesh.support.Reply
import com.proxymesh.support.SUB_PASSWORD
import com.proxymesh.support.Sandbox
import com.proxymesh.support.Server
import com.proxymesh.support.USERNAME
import com.proxymesh.support.assertGuideShows
import com.proxymesh.support.startApplication
import com.proxymesh.support.until
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.PrintStream
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.logging.Handler
import java.util.logging.Level
import java.util.logging.LogRecord
import java.util.logging.Logger
import kotlin.concurrent.thread
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asContextElement
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The logger `com.proxymesh`. In this process, `System.Logger` is `java.util.logging`. */
class LogTest {
    /** Keeps the records and the threads that wrote them, and calls [act] with each. */
    private class Records(private val act: (LogRecord) -> Unit) : Handler() {
        val all = CopyOnWriteArrayList<Pair<LogRecord, Thread>>()
        val texts: List<String> get() = all.map { it.first.message }
        val warnings: List<String> get() = all.filter { it.first.level == Level.WARNING }.map { it.first.message }

        override fun publish(record: LogRecord) {
            all += record to Thread.currentThread()
            act(record)
        }

        override fun flush() = Unit

        override fun close() = Unit
    }

    private fun logged(level: Level? = Level.FINE, act: (LogRecord) -> Unit = {}, test: (Records) -> Unit) {
        val (logger, records) = Logger.getLogger("com.proxymesh") to Records(act)
        logger.addHandler(records)
        logger.level = level
        logger.useParentHandlers = false
        try {
            test(records)
        } finally {
            logger.useParentHandlers = true
            logger.level = null
            logger.removeHandler(records)
        }
    }

    /** The ways to make a call. */
    private enum class Way { BLOCKING, VIRTUAL, SUSPEND, FUTURE, CONTINUED }

    private val ways = if (JAVA < 21) Way.entries - Way.VIRTUAL else Way.entries

    /** What a test does with any client: `geo.open`, `geo.world` and `ips.add`. */
    private class Calling(val open: () -> Unit, val world: () -> Unit, val add: (String) -> Unit)

    private fun with(way: Way, baseUrl: String, maxRetries: Int = 2, test: (Calling) -> Unit) {
        when (way) {
            Way.BLOCKING -> blocking(baseUrl, maxRetries).use { client ->
                test(Calling({ client.geo.open() }, { client.geo.world() }, { client.ips.add(it) }))
            }
            Way.VIRTUAL -> blocking(baseUrl, maxRetries).use { client ->
                test(Calling({ onVirtual { client.geo.open() } }, { onVirtual { client.geo.world() } }, { onVirtual { client.ips.add(it) } }))
            }
            Way.SUSPEND -> suspending(baseUrl, maxRetries).use { client ->
                test(
                    Calling(
                        { runBlocking { client.geo.open() } },
                        { runBlocking { client.geo.world() } },
                        { runBlocking { client.ips.add(it) } },
                    ),
                )
            }
            Way.FUTURE -> future(baseUrl, maxRetries).use { client ->
                test(Calling({ client.geo.open().join() }, { client.geo.world().join() }, { client.ips.add(it).join() }))
            }
            Way.CONTINUED -> future(baseUrl, maxRetries).use { client ->
                fun waiting(future: java.util.concurrent.CompletableFuture<*>) = future.thenApply { it }.join()
                test(Calling({ waiting(client.geo.open()) }, { waiting(client.geo.world()) }, { waiting(client.ips.add(it)) }))
            }
        }
    }

    private fun blocking(baseUrl: String, maxRetries: Int = 2) =
        BlockingClient(USERNAME, PASSWORD, baseUrl = baseUrl, maxRetries = maxRetries)

    private fun suspending(baseUrl: String, maxRetries: Int = 2) =
        Client(USERNAME, PASSWORD, baseUrl = baseUrl, maxRetries = maxRetries)

    private fun future(baseUrl: String, maxRetries: Int = 2) =
        AsyncClient.builder().username(USERNAME).password(PASSWORD).baseUrl(baseUrl).maxRetries(maxRetries).build()

    private fun onVirtual(act: () -> Unit) {
        var failure: Throwable? = null
        val start = Thread::class.java.getMethod("startVirtualThread", Runnable::class.java)
        (start.invoke(null, Runnable { failure = runCatching(act).exceptionOrNull() }) as Thread).join()
        failure?.let { throw it }
    }

    private val us = Reply.Answer(200, """{"US": 1}""")
    private val again = Reply.Answer(429, "", mapOf("retry-after" to "0"))

    /** Responds with these in turn, and then always with the last one. */
    private fun replying(vararg replies: Reply): Server {
        val count = AtomicInteger()
        return Server { _ -> replies[minOf(count.getAndIncrement(), replies.size - 1)] }
    }

    @Test
    fun `each attempt is one record`() {
        for (way in ways) replying(again, us).use { server ->
            logged { records ->
                with(way, server.baseUrl) { it.open() }
                assertEquals(2, records.all.size, "$way")
                val line = """geo\.open: GET /api/geoips/open/: %s after \d+\.\d ms \(attempt %s"""
                assertTrue(Regex(line.format(429, """1\), retrying in 0\.\d\d s""")).matches(records.texts[0]), records.texts[0])
                assertTrue(Regex(line.format(200, """2\)""")).matches(records.texts[1]), records.texts[1])
                assertEquals(setOf(Level.FINE to "com.proxymesh"), records.all.map { it.first.level to it.first.loggerName }.toSet())
            }
        }
    }

    @Test
    fun `the look-up after a lost response is logged too`() {
        for (way in ways) {
            replying(Reply.Answer(503, "", mapOf("retry-after" to "0")), Reply.Close, Reply.Answer(400, "already so"), Reply.Answer(200, """{"ips": ["203.0.113.7"]}"""))
                .use { server ->
                    logged { records ->
                        with(way, server.baseUrl) { it.add("203.0.113.7") }
                        val seen = records.texts.map { it.substringBefore(':') to it.substringAfter("(attempt ").take(1) }
                        assertEquals(listOf("ips.add" to "1", "ips.add" to "2", "ips.add" to "3", "ips.list" to "1"), seen, "$way")
                        assertTrue("closed" in records.texts[1], records.texts[1])
                    }
                }
        }
    }

    @Test
    fun `without the level FINE, nothing is logged, and the level counts when a call is made`() = replying(us).use { server ->
        for (way in ways) with(way, server.baseUrl) { client ->
            for (level in listOf(null, Level.CONFIG, Level.OFF)) logged(level) { records ->
                client.open()
                assertEquals(emptyList<String>(), records.texts, "$way $level")
                Logger.getLogger("com.proxymesh").level = Level.FINE
                client.open()
                assertEquals(1, records.all.size, "$way $level")
            }
        }
    }

    @Test
    fun `a record is written while its call is in progress`() {
        for (way in ways) {
            val written = CountDownLatch(1)
            val count = AtomicInteger()
            val server = Server { _ ->
                if (count.getAndIncrement() == 0) again else us.also { check(written.await(PATIENCE, TimeUnit.MILLISECONDS)) }
            }
            server.use {
                logged(act = { written.countDown() }) { records ->
                    with(way, server.baseUrl, 1) { it.open() }
                    assertEquals(2, records.all.size, "$way")
                }
            }
        }
    }

    @Test
    fun `a blocking call is logged on its own thread, and a suspending one in the context of its coroutine`() = replying(again, us).use { server ->
        logged { records ->
            blocking(server.baseUrl).use { it.geo.open() }
            assertEquals(setOf(Thread.currentThread()), records.all.map { it.second }.toSet())
        }
        val request = ThreadLocal.withInitial { "none" }
        val seen = CopyOnWriteArrayList<Pair<String, String>>()
        logged(act = { seen += request.get() to it.message.substringBefore(':') }) {
            suspending(server.baseUrl).use { client ->
                runBlocking(Dispatchers.Default) {
                    List(20) { number ->
                        listOf(
                            async(request.asContextElement("open")) { client.geo.open() },
                            async(request.asContextElement("world")) { client.geo.world() },
                        )
                    }.flatten().awaitAll()
                }
            }
        }
        assertEquals(40, seen.size)
        assertTrue(seen.all { (mine, its) -> its == "geo.$mine" }, seen.toString())
    }

    @Test
    fun `threads and coroutines each log their own calls`() = replying(us).use { server ->
        logged { records ->
            val threads = List(4) { thread { blocking(server.baseUrl).use { client -> repeat(25) { client.geo.open() } } } }
            suspending(server.baseUrl).use { client ->
                runBlocking { List(50) { async(Dispatchers.Default) { client.geo.open() } }.awaitAll() }
            }
            future(server.baseUrl).use { client -> List(50) { client.geo.open() }.forEach { it.join() } }
            threads.forEach(Thread::join)
            assertEquals(200, records.all.size)
            assertEquals(200, server.requests.size)
        }
    }

    @Test
    fun `a logger that throws does not affect a call`() = replying(us).use { server ->
        for (error in listOf(IllegalStateException("of the logger"), StackOverflowError("of the logger"))) {
            for (way in ways) {
                val printed = ByteArrayOutputStream()
                val before = System.err
                System.setErr(PrintStream(printed, true))
                try {
                    logged(act = { throw error }) { records ->
                        with(way, server.baseUrl) { it.open() }
                        assertEquals(1, records.all.size, "$way")
                    }
                } finally {
                    System.setErr(before)
                }
                assertTrue("$error" in printed.toString(), "$way: $printed")
            }
        }
    }

    @Test
    fun `a logger may make calls of its own, even with the same client`() {
        for (way in ways) replying(Reply.Answer(503, "", mapOf("retry-after" to "1")), us).use { server ->
            with(way, server.baseUrl) { client ->
                // The first record is written while the call waits for its second attempt.
                logged(act = { if (it.message.startsWith("geo.world")) client.open() }) { records ->
                    client.world()
                    val calls = records.texts.map { it.substringBefore(':') }
                    assertEquals(listOf("geo.world", "geo.open", "geo.world", "geo.open"), calls, "$way")
                }
            }
        }
    }

    @Test
    fun `a logger that blocks delays only its own call`() = replying(us).use { server ->
        for (way in ways) {
            val (begun, goOn) = CountDownLatch(1) to CountDownLatch(1)
            val act = { record: LogRecord ->
                if (record.message.startsWith("geo.world")) {
                    begun.countDown()
                    check(goOn.await(PATIENCE, TimeUnit.MILLISECONDS))
                }
            }
            logged(act = act) { records ->
                with(way, server.baseUrl) { client ->
                    client.open()
                    val slow = thread { client.world() }
                    assertTrue(begun.await(PATIENCE, TimeUnit.MILLISECONDS))
                    for (other in ways) with(other, server.baseUrl) { it.open() }
                    assertTrue(slow.isAlive, "$way: a call waits until its records are written")
                    goOn.countDown()
                    slow.join()
                    assertEquals(ways.size + 2, records.all.size)
                }
            }
        }
    }

    @Test
    fun `the attempts of a cancelled call are logged`() = replying(us, Reply.Answer(503, "", mapOf("retry-after" to "60"))).use { server ->
        logged { records ->
            suspending(server.baseUrl).use { client ->
                runBlocking {
                    client.geo.open()
                    withTimeoutOrNull(Duration.ofMillis(500).toMillis()) { client.geo.world() }
                }
                assertEquals(2, records.all.size)
            }
            future(server.baseUrl).use { client ->
                val call = client.geo.world()
                runBlocking { until("its first attempt is logged") { records.all.size == 3 } }
                call.cancel(true)
            }
            blocking(server.baseUrl).use { client ->
                val call = thread { runCatching { client.geo.world() } }
                runBlocking { until("its first attempt is logged") { records.all.size == 4 } }
                call.interrupt()
                call.join()
            }
            assertTrue(records.texts.drop(1).all { it.startsWith("geo.world: ") && "503" in it }, records.texts.toString())
        }
    }

    @Test
    fun `a record has the text as it is`() = logged { records ->
        val text = "{0} 'a' {x} 100% %s"
        for (logger in listOf(SystemLogger(), JavaLogger())) {
            assertTrue(logger.isLoggable(LogLevel.DEBUG))
            LogLevel.entries.forEach { logger.write(it, text) }
        }
        val levels = listOf(Level.FINE, Level.INFO, Level.WARNING)
        assertEquals(levels + levels, records.all.map { it.first.level })
        assertEquals(setOf(text), records.all.map { java.util.logging.SimpleFormatter().formatMessage(it.first) }.toSet())
    }

    /** The list of a pool that is to be refreshed for every proxy, and that can be fetched only once. */
    private fun stale(test: (String) -> Unit) {
        val count = AtomicInteger()
        val server = Server { _ ->
            if (count.getAndIncrement() == 0) Reply.Answer(200, """{"proxies": ["us-ca.proxymesh.com:31280"]}""") else Reply.Answer(500, "down")
        }
        server.use { test(server.baseUrl) }
    }

    @Test
    fun `a pool warns if its list cannot be refreshed, unless warnings are off`() {
        val options = PoolOptions().withTtl(Duration.ofMillis(1))
        val pools = listOf<(String, () -> Unit) -> Unit>(
            { url, wait -> blocking(url, 0).use { client -> client.proxies.pool(options).run { get(); wait(); get() } } },
            { url, wait -> suspending(url, 0).use { client -> client.proxies.pool(options).run { runBlocking { get(); wait(); get() } } } },
            { url, wait -> future(url, 0).use { client -> client.proxies.pool(options).run { get().join(); wait(); get().join() } } },
        )
        for (use in pools) {
            for (level in listOf(null, Level.FINE, Level.SEVERE)) stale { url ->
                logged(level) { records ->
                    use(url) { Thread.sleep(10) }
                    if (level == Level.SEVERE) {
                        assertEquals(emptyList<String>(), records.texts)
                    } else {
                        assertEquals(if (level == null) 1 else 3, records.all.size)
                        val text = "could not refresh the list of proxies, so the old one stays in use: proxies.list: server error (500)"
                        assertTrue(records.warnings.single().startsWith(text), records.warnings.toString())
                    }
                }
            }
        }
    }

    @Test
    fun `an IP that stays authorised is a warning, even if the block fails`() {
        val ip = "203.0.113.90"
        val leases = listOf<(String) -> Unit>(
            { url -> blocking(url, 0).use { client -> client.ips.authorized(ip).use { throw IllegalStateException() } } },
            { url -> suspending(url, 0).use { client -> runBlocking { client.ips.withAuthorizedIp(ip) { throw IllegalStateException() } } } },
            { url -> future(url, 0).use { client -> client.ips.authorized(ip).get().release().get() } },
        )
        for (use in leases) Sandbox().use { sandbox ->
            logged(null) { records ->
                sandbox.fault("""{"kind": "status", "status": 403, "path": "/api/ip/delete/"}""")
                val error = assertThrows(Exception::class.java) { use(sandbox.baseUrl) }
                assertTrue(error is IllegalStateException || error is ExecutionException && use == leases.last(), error.toString())
                val text = "could not remove the authorised IP $ip, so it stays until an IP is next authorised on this machine: ips.delete: permission denied (403)"
                assertTrue(records.warnings.single().startsWith(text), records.texts.toString())
            }
        }
    }

    @Test
    fun `a follower warns in the background`() {
        val followers = listOf<(String) -> AutoCloseable>(
            { url -> blocking(url).ips.follow(interval = Duration.ofSeconds(1)) },
            { url -> runBlocking { suspending(url).ips.follow(interval = 1.seconds) }.let { AutoCloseable { runBlocking { it.close() } } } },
            { url -> future(url).ips.follow("home", null, null, Duration.ofSeconds(1)).get().let { AutoCloseable { it.close().get() } } },
        )
        for (follow in followers) logged(null) { records ->
            val sandbox = Sandbox()
            val follower = follow(sandbox.baseUrl)
            sandbox.close()
            // The last warning of the follower before this one may arrive here.
            val text = "ips.follow could not check or change the authorised IP 127.0.0.1, and will try again: "
            runBlocking { until("it warns") { records.warnings.any { it.startsWith(text) } } }
            assertFalse(Thread.currentThread() in records.all.map { it.second })
            runCatching(follower::close)
        }
    }

    @Test
    fun `a record contains neither secrets nor arguments`() = Server { request -> Reply.Answer(400, "${request.headers} ${request.form} $PASSWORD") }.use { server ->
        logged { records ->
            blocking(server.baseUrl).use { client ->
                assertThrows(BadRequestException::class.java) { client.subAccounts.create("whom", SUB_PASSWORD, email = "whom@ex.com") }
                assertThrows(BadRequestException::class.java) { client.subAccounts.get("whom") }
                assertThrows(BadRequestException::class.java) { client.tokens.list("whom") }
                assertThrows(BadRequestException::class.java) { client.proxies.pool().get() }
            }
            assertEquals(4, records.all.size)
            val text = records.texts.toString()
            assertFalse(listOf(PASSWORD, SUB_PASSWORD, BASIC.substringAfter(' '), USERNAME, "whom", "?").any { it in text })
        }
    }

    @Test
    fun `the guide shows the code that is tested here`() {
        assertGuideShows("Logging", "com/proxymesh/LogGuide.java")
        val printed = ByteArrayOutputStream()
        val before = System.err
        System.setErr(PrintStream(printed, true))
        try {
            replying(us).use { server -> blocking(server.baseUrl).use { LogGuide.toTheConsole(it).run() } }
        } finally {
            System.setErr(before)
        }
        assertTrue(" geo.open: GET /api/geoips/open/: 200 after " in printed.toString(), printed.toString())
    }

    @Test
    fun `SLF4J can take over the log, as the guide says`(@TempDir folder: Path) = replying(again, us).use { server ->
        val guide = File("../../../docs/jvm.md").readText().substringAfter("\n## Logging\n").substringBefore("\n## ")
        val configuration = guide.substringAfter("```xml\n<configuration>").substringBefore("```")
        val file = folder.resolve("logback.xml").apply { writeText("<configuration>$configuration") }
        val flags = listOf("-Dlogback.configurationFile=$file", "-Dproxymesh.library.folder=$folder") +
            if (JAVA < 24) emptyList() else listOf("--enable-native-access=ALL-UNNAMED")
        val jars = Path.of(System.getProperty("proxymesh.slf4j")).listDirectoryEntries("*.jar")
        assertEquals(4, jars.size)
        val printed = startApplication(flags, arguments = listOf(server.baseUrl), jars = jars)
        val lines = printed.output.lines()
        assertEquals(5, lines.size, printed.toString())
        assertEquals("loaded", lines.last())
        val line = Regex("""DEBUG com\.proxymesh \[\S.*] geo\.open: GET /api/geoips/open/: (429|200) after .* ms \(attempt \d\).*""")
        assertTrue(lines.dropLast(1).all(line::matches), printed.toString())
        assertTrue(lines.take(2).all { "[main]" in it }, printed.toString())
        Files.delete(file)
    }
}
