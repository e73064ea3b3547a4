package com.proxymesh.support

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import com.sun.net.httpserver.HttpsConfigurator
import com.sun.net.httpserver.HttpsServer
import java.net.InetAddress
import java.net.InetSocketAddress
import java.nio.file.Path
import java.security.KeyStore
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executors
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509TrustManager
import kotlin.io.path.createTempDirectory
import kotlin.io.path.deleteIfExists

/** A request that a site received. */
class Seen(val scheme: String, val headers: Map<String, String>)

/**
 * A site that speaks http and https, under any name that ends in `.test`. Only a proxy can find these names. The page `/STATUS?NAME=VALUE`
 * has this status and this header.
 */
class Site : AutoCloseable {
    private val arrived = ConcurrentLinkedQueue<Seen>()
    private val threads = Executors.newCachedThreadPool()
    private val servers = mapOf(
        "http" to HttpServer.create(LOOPBACK, 0),
        "https" to HttpsServer.create(LOOPBACK, 0).apply { httpsConfigurator = HttpsConfigurator(Certificate.tls) },
    )

    init {
        for ((scheme, server) in servers) {
            server.executor = threads
            server.createContext("/") { it.use { exchange -> answer(scheme, exchange) } }
            server.start()
        }
    }

    fun port(scheme: String): Int = servers.getValue(scheme).address.port

    fun url(scheme: String, host: String = "site.test"): String = "$scheme://$host:${port(scheme)}/"

    /** A page that redirects. */
    fun redirect(scheme: String, to: String): String = url(scheme) + "302?Location=" + to

    /** The requests since the last call. */
    fun seen(): List<Seen> = generateSequence { arrived.poll() }.toList()

    private fun answer(scheme: String, exchange: HttpExchange) {
        arrived += Seen(scheme, exchange.requestHeaders.entries.associate { (name, values) -> name.lowercase() to values.joinToString() })
        exchange.requestURI.rawQuery?.let { exchange.responseHeaders.set(it.substringBefore('='), it.substringAfter('=')) }
        exchange.sendResponseHeaders(exchange.requestURI.path.drop(1).toIntOrNull() ?: 200, 4)
        exchange.responseBody.write("page".toByteArray())
    }

    override fun close() {
        servers.values.forEach { it.stop(0) }
        threads.shutdown()
    }

    private companion object {
        val LOOPBACK = InetSocketAddress(InetAddress.getLoopbackAddress(), 0)
    }
}

/** A certificate for the sites, made once for each process. */
object Certificate {
    private val keys: KeyStore = run {
        val folder = createTempDirectory("keys")
        val store = folder.resolve("keys.p12")
        val keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString()
        val made = ProcessBuilder(
            keytool, "-genkeypair", "-keyalg", "EC", "-alias", "site", "-dname", "CN=site.test",
            "-ext", "san=dns:site.test,dns:other.test,dns:localhost,ip:127.0.0.1",
            "-keystore", store.toString(), "-storepass", "changeit", "-storetype", "PKCS12",
        ).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor()
        check(made == 0) { "keytool exited with $made" }
        KeyStore.getInstance(store.toFile(), "changeit".toCharArray()).also {
            store.deleteIfExists()
            folder.deleteIfExists()
        }
    }

    val trust: X509TrustManager = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(keys) }
        .trustManagers.single() as X509TrustManager

    /** For the sites and for their visitors. */
    val tls: SSLContext = SSLContext.getInstance("TLS").apply {
        val own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).apply { init(keys, "changeit".toCharArray()) }
        init(own.keyManagers, arrayOf(trust), null)
    }
}

private inline fun HttpExchange.use(block: (HttpExchange) -> Unit) = try { block(this) } finally { close() }
