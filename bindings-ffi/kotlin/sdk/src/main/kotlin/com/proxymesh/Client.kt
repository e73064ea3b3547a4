package com.proxymesh

import java.nio.file.Path
import java.time.Duration

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
 * Any number of coroutines on any threads may share a client. The calls block no thread, so they need no dispatcher of their own.
 *
 * If the coroutine of a call is cancelled, by hand or by `withTimeout`, the call ends and its connection is closed. It is then unknown
 * whether a write was carried out. Only the first request with the credentials goes on for up to five seconds, because its response
 * tells whether they are right.
 *
 * For Java and for scripts, use [BlockingClient].
 */
public class Client private constructor(private val calls: Calls) : AutoCloseable {
    /**
     * Creates a client, without sending anything. A setting that you omit comes from its environment variable, if it has one, and
     * otherwise from its default.
     *
     * @param username the username of the account or of a sub-account (`PROXYMESH_USERNAME`).
     * @param password its password (`PROXYMESH_PASSWORD`).
     * @param token a token (`pm_…`) instead of a username and password (`PROXYMESH_TOKEN`). It cannot make the token calls.
     * @param baseUrl the service's URL (`PROXYMESH_BASE_URL`); `https://proxymesh.com` by default. Plain http is allowed only for a
     *   loopback host.
     * @param timeout the limit for one attempt, from connecting to the last byte of the response; 30 s by default.
     * @param connectTimeout the limit for connecting, TLS included; 10 s by default.
     * @param maxRetries how often a call may be sent again if that is safe; 2 by default.
     * @param caFile a PEM file with additional CA certificates to trust. `SSL_CERT_FILE` and `SSL_CERT_DIR` can name more. If neither
     *   is set, the system's certificates are trusted too (but not on Android: name them here).
     * @param trustEnv whether to use `HTTPS_PROXY` and `NO_PROXY`. It is off by default, because a scraper's proxy must not carry the
     *   account's calls.
     * @throws ConfigException the settings are missing, contradictory or out of range.
     */
    public constructor(
        username: String? = null,
        password: String? = null,
        token: String? = null,
        baseUrl: String? = null,
        timeout: Duration? = null,
        connectTimeout: Duration? = null,
        maxRetries: Int? = null,
        caFile: Path? = null,
        trustEnv: Boolean = false,
    ) : this(
        Calls.open(settings(username, password, token, baseUrl, timeout, connectTimeout, maxRetries, caFile, trustEnv)),
    )

    /** The service's URL. */
    public val baseUrl: String get() = calls.baseUrl

    /** Sub-accounts. Only the parent account may make these calls. */
    public val subAccounts: SubAccounts = SubAccounts(calls)

    /** IP addresses that may use the proxies without credentials. */
    public val ips: Ips = Ips(calls)

    /** Hostnames that may use the proxies without credentials. */
    public val hostnames: Hostnames = Hostnames(calls)

    /** The proxies that the account may use. */
    public val proxies: Proxies = Proxies(calls)

    /** Bearer tokens. These calls need the account's username and password. */
    public val tokens: Tokens = Tokens(calls)

    /** The number of exit IPs in each country. */
    public val geo: Geo = Geo(calls)

    /**
     * A client with other options, for some of the calls: `client.withOptions(maxRetries = 0).ips.list()`. It shares the connections
     * of this client, but is closed separately. Options that you omit stay the same.
     *
     * @param timeout the limit for one attempt.
     * @param maxRetries how often a call may be sent again.
     * @throws ConfigException an option is out of range, or this client is closed.
     */
    public fun withOptions(timeout: Duration? = null, maxRetries: Int? = null): Client =
        Client(calls.with(options(timeout, maxRetries)))

    /**
     * Closes the client. Later calls fail with [ConfigException]; calls in progress continue. The connections close with the last
     * client that shares them. You may close a client twice.
     */
    override fun close(): Unit = calls.close()

    /** The class and the URL, without the credentials. */
    override fun toString(): String = "Client(baseUrl=$baseUrl)"
}
