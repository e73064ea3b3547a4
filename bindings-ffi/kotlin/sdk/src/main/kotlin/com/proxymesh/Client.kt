package com.proxymesh

import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/**
 * A client whose calls are `suspend` functions.
 *
 * ```kotlin
 * Client("me@ex.com", "secret").use { client ->
 *     for (proxy in client.proxies.list()) println(proxy.url("me@ex.com", "secret"))
 *     client.ips.add("203.0.113.7", label = "office")
 *     client.subAccounts.create("crawler-1", password = "correct horse", monthlyLimit = 5)
 * }
 * ```
 *
 * Any number of coroutines on any threads may share one client. The calls block no thread, so they need no dispatcher of their own.
 *
 * If the coroutine of a call is cancelled, by hand or by `withTimeout`, the call ends and its connection is closed. There is one
 * exception: until the credentials have worked once, the request continues for up to five seconds, because its response shows whether
 * they are right. After a cancellation, it is unknown whether a write was carried out.
 *
 * For scripts and for Java, use [BlockingClient]. In Java, the calls of [AsyncClient] return futures.
 */
public class Client private constructor(@get:JvmSynthetic internal val calls: Calls) : AutoCloseable {
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
        Calls.open(
            settings(
                username, password, token, baseUrl, timeout?.toJavaDuration(), connectTimeout?.toJavaDuration(), maxRetries,
                maxConnections, caFile, trustEnv, shareState,
            ),
        ),
    )

    /** The base URL of the service, without a trailing slash. */
    public val baseUrl: String = calls.baseUrl()

    /** Sub-accounts. Only the parent account may make these calls. */
    public val subAccounts: SubAccounts = SubAccounts(calls)

    /** IPs that may use the proxies without credentials. */
    public val ips: Ips = Ips(calls)

    /** Hostnames that may use the proxies without credentials. */
    public val hostnames: Hostnames = Hostnames(calls)

    /** The proxies that the account may use. */
    public val proxies: Proxies = Proxies(calls)

    /** Bearer tokens. These calls require the parent account's username and password. */
    public val tokens: Tokens = Tokens(calls)

    /** The number of exit IPs in each country. */
    public val geo: Geo = Geo(calls)

    /**
     * Returns a client with different options for its calls, as in `client.withOptions(maxRetries = 0).ips.list()`. It shares this
     * client's connections, but is closed separately. Options that you omit stay the same.
     *
     * @param timeout the time limit for one attempt.
     * @param maxRetries how many times a call may be retried, if that is safe.
     * @throws ConfigException an option is invalid, or this client is closed.
     */
    public fun withOptions(timeout: Duration? = null, maxRetries: Int? = null): Client =
        Client(calls.with(options(timeout?.toJavaDuration(), maxRetries)))

    /**
     * Closes the client. Later calls fail with [ConfigException]; calls in progress continue. The connections close with the last
     * client that shares them. You may close a client twice.
     */
    override fun close(): Unit = calls.close()

    /** The class and the URL, without the credentials. */
    override fun toString(): String = "Client(baseUrl=$baseUrl)"
}
