package com.proxymesh

import java.nio.file.Path
import java.time.Duration as JavaDuration
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/**
 * A client whose calls block until they are done, for Java and for scripts. In Kotlin:
 *
 * ```kotlin
 * BlockingClient("me@ex.com", "secret").use { client -> client.ips.add("203.0.113.7", label = "office") }
 * ```
 *
 * In Java, a [Builder] takes the optional settings:
 *
 * ```java
 * try (var client = BlockingClient.builder().username("me@ex.com").password("secret").maxRetries(4).build()) {
 *     client.getIps().add("203.0.113.7", "office");
 * }
 * ```
 *
 * Any number of threads may share one client. A call blocks its thread until it is done or its time limits have passed. A virtual thread
 * leaves its carrier thread while it waits. Calls on virtual threads have connections of their own, also at most `maxConnections`.
 *
 * `Thread.interrupt` ends a call within 40 ms and closes its connection. The call then throws
 * [java.util.concurrent.CancellationException], and the thread stays interrupted, so later calls on it also end at once until
 * `Thread.interrupted()` clears the interrupt. The exception is unchecked, and its cause is an [InterruptedException]. As with [Client],
 * a request with credentials that have not worked yet continues for up to five seconds. After an interrupt, it is unknown whether a
 * write was carried out.
 */
public class BlockingClient private constructor(@get:JvmSynthetic internal val calls: BlockingCalls) : AutoCloseable {
    /**
     * Creates a client. Nothing is sent. A setting that you omit comes from its environment variable, if there is one, or else from
     * its default.
     *
     * @param username the username of the account or of a sub-account (`PROXYMESH_USERNAME`).
     * @param password the password for the username (`PROXYMESH_PASSWORD`).
     * @param token a token (`pm_…`), instead of a username and password (`PROXYMESH_TOKEN`). The token calls do not accept it.
     * @param baseUrl the base URL of the service (`PROXYMESH_BASE_URL`); `https://proxymesh.com` by default. Plain http is allowed only
     *   to loopback hosts.
     * @param timeout the time limit for one attempt, from connecting to the last byte of the response; 30 s by default. A call that is
     *   retried may take longer.
     * @param connectTimeout the time limit for connecting, including TLS; 10 s by default.
     * @param maxRetries how many times a call may be retried, if that is safe; 2 by default.
     * @param maxConnections how many connections the client may have open at a time. Further calls wait for one, and this wait does not
     *   count towards their time limit. By default, it is a quarter of the file descriptors that the process may open, but at least 64
     *   and at most 256.
     * @param caFile a PEM file with additional CA certificates to trust. `SSL_CERT_FILE` and `SSL_CERT_DIR` can name more. If neither
     *   is set, the system's certificates are trusted as well, except on Android.
     * @param trustEnv whether to use the environment variables `HTTPS_PROXY` (or else `ALL_PROXY`) and `NO_PROXY`. Off by default,
     *   because the account's calls should not go through a scraper's proxy.
     * @param shareState whether the processes of this user share what they know about the credentials; true by default. If it is true,
     *   several processes with a wrong password do not each try it. Otherwise, their attempts could get the caller banned. They share a file in
     *   the user's state folder. It contains no name and no secret.
     * @throws ConfigException a setting is missing or invalid, or settings contradict each other.
     */
    public constructor(
        username: String? = null,
        password: String? = null,
        token: String? = null,
        baseUrl: String? = null,
        timeout: Duration? = null,
        connectTimeout: Duration? = null,
        maxRetries: Int? = null,
        maxConnections: Int? = null,
        caFile: Path? = null,
        trustEnv: Boolean = false,
        shareState: Boolean = true,
    ) : this(
        BlockingCalls.open(
            settings(
                username, password, token, baseUrl, timeout?.toJavaDuration(), connectTimeout?.toJavaDuration(), maxRetries,
                maxConnections, caFile, trustEnv, shareState,
            ),
        ),
    )

    /** Creates a client with this username and password. This is for Java, which has no named arguments. */
    public constructor(username: String, password: String) : this(username, password, token = null)

    /** Creates a client with the settings from the environment. This is for Java. */
    public constructor() : this(username = null)

    /** The base URL of the service, without a trailing slash. */
    public val baseUrl: String = calls.baseUrl()

    /** Sub-accounts. Only the parent account may make these calls. */
    public val subAccounts: BlockingSubAccounts = BlockingSubAccounts(calls)

    /** IPs that may use the proxies without credentials. */
    public val ips: BlockingIps = BlockingIps(calls)

    /** Hostnames that may use the proxies without credentials. */
    public val hostnames: BlockingHostnames = BlockingHostnames(calls)

    /** The proxies that the account may use. */
    public val proxies: BlockingProxies = BlockingProxies(calls)

    /** Bearer tokens. These calls require the parent account's username and password. */
    public val tokens: BlockingTokens = BlockingTokens(calls)

    /** The number of exit IPs in each country. */
    public val geo: BlockingGeo = BlockingGeo(calls)

    /**
     * Returns a client with different options for its calls, as in `client.withOptions(maxRetries = 0).ips.list()`. It shares this
     * client's connections, but is closed separately. Options that you omit stay the same.
     *
     * @param timeout the time limit for one attempt.
     * @param maxRetries how many times a call may be retried, if that is safe.
     * @throws ConfigException an option is invalid, or this client is closed.
     */
    @JvmOverloads
    public fun withOptions(timeout: JavaDuration?, maxRetries: Int? = null): BlockingClient =
        BlockingClient(calls.with(options(timeout, maxRetries)))

    /** The same for Kotlin; see the other [withOptions]. */
    public fun withOptions(timeout: Duration, maxRetries: Int? = null): BlockingClient = withOptions(timeout.toJavaDuration(), maxRetries)

    /** Returns a client that retries a call at most this many times; see the other [withOptions]. */
    public fun withOptions(maxRetries: Int): BlockingClient = withOptions(null, maxRetries)

    /**
     * Closes the client. Later calls fail with [ConfigException]; calls in progress continue. The connections close with the last
     * client that shares them. You may close a client twice.
     */
    override fun close(): Unit = calls.close()

    /** The class and the URL, without the credentials. */
    override fun toString(): String = "BlockingClient(baseUrl=$baseUrl)"

    /** The settings for a new [BlockingClient]. */
    public class Builder internal constructor() : ClientBuilder<Builder>() {
        /**
         * Creates the client. Nothing is sent.
         *
         * @throws ConfigException a setting is missing or invalid, or settings contradict each other.
         */
        public fun build(): BlockingClient = BlockingClient(BlockingCalls.open(chosen.checked()))
    }

    /** Creates builders. */
    public companion object {
        /** Returns a [Builder] in which nothing is set. */
        @JvmStatic
        public fun builder(): Builder = Builder()
    }
}
