package com.proxymesh

import java.nio.file.Path
import java.time.Duration

/**
 * A client whose calls suspend.
 *
 * ```kotlin
 * Client("me@ex.com", "secret").use { client ->
 *     for (proxy in client.proxies.list()) println(proxy.url("me@ex.com", "secret"))
 *     client.ips.add("203.0.113.7", label = "office")
 *     client.subAccounts.create("crawler-1", password = "correct horse", monthlyLimit = 5)
 * }
 * ```
 *
 * Any number of coroutines on any threads may share one. Calls need no dispatcher of their own: no thread waits for them. A
 * call whose coroutine is cancelled, by hand or by `withTimeout`, is given up: its connection is closed. Only the first request with
 * credentials goes on for up to five seconds, because its answer tells whether they are right. Whether a write was carried out is then not
 * known.
 *
 * Settings that are not given come from the environment. For Java, and for scripts, there is [BlockingClient].
 */
public class Client private constructor(private val calls: Calls) : AutoCloseable {
    /**
     * Makes a client. Nothing is sent.
     *
     * @param username the account's username, or a sub-account's; `PROXYMESH_USERNAME` by default.
     * @param password its password; `PROXYMESH_PASSWORD` by default.
     * @param token a token (`pm_…`) instead of both; `PROXYMESH_TOKEN` by default. It cannot make the token calls.
     * @param baseUrl where the service is; `PROXYMESH_BASE_URL` by default, then `https://proxymesh.com`. Plain http only to a
     *   loopback host.
     * @param timeout how long one attempt may take, from connecting to the last byte of the answer; 30 s by default.
     * @param connectTimeout how long connecting may take, TLS included; 10 s by default.
     * @param maxRetries how often a call may be sent again, where that is safe; 2 by default.
     * @param caFile a PEM file with further CA certificates to trust. The environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` add to
     *   them; where neither is set, the system's own certificates are trusted too (not on Android: name them here).
     * @param trustEnv whether `HTTPS_PROXY` and `NO_PROXY` count; no by default, because a scraper's proxy must not carry the
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

    /** Where the service is. */
    public val baseUrl: String get() = calls.baseUrl

    /** Sub-accounts: create, limit, watch, delete. For the parent account only. */
    public val subAccounts: SubAccounts = SubAccounts(calls)

    /** IPs that may use the proxies without credentials. */
    public val ips: Ips = Ips(calls)

    /** Hostnames that may use the proxies without credentials. */
    public val hostnames: Hostnames = Hostnames(calls)

    /** The proxies that the account may use. */
    public val proxies: Proxies = Proxies(calls)

    /** Bearer tokens. */
    public val tokens: Tokens = Tokens(calls)

    /** Exit IPs per country code. */
    public val geo: Geo = Geo(calls)

    /**
     * A client with other options, for some calls: `client.withOptions(maxRetries = 0).ips.list()`. It shares the connections of
     * this one, and is closed for itself. What is not given stays as it is.
     *
     * @param timeout how long one attempt may take.
     * @param maxRetries how often a call may be sent again.
     * @throws ConfigException an option is out of range, or this client is closed.
     */
    public fun withOptions(timeout: Duration? = null, maxRetries: Int? = null): Client =
        Client(calls.with(options(timeout, maxRetries)))

    /**
     * Closes the client: later calls fail with [ConfigException]; calls under way go on. The connections are closed when the last
     * client that shares them is. To close twice is fine.
     */
    override fun close(): Unit = calls.close()

    /** Without the credentials. */
    override fun toString(): String = "Client(baseUrl=$baseUrl)"
}
