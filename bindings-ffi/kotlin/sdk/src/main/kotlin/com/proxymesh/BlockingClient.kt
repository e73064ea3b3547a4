package com.proxymesh

import java.nio.file.Path
import java.time.Duration

/**
 * A client whose calls return when they are done: for Java, and for scripts. In Kotlin:
 *
 * ```kotlin
 * BlockingClient("me@ex.com", "secret").use { client -> client.ips.add("203.0.113.7", label = "office") }
 * ```
 *
 * In Java, where optional settings go through a [Builder]:
 *
 * ```java
 * try (var client = BlockingClient.builder().username("me@ex.com").password("secret").maxRetries(4).build()) {
 *     client.getIps().add("203.0.113.7", "office");
 * }
 * ```
 *
 * Any number of threads may share one. A call holds its thread until it is done, or its time limits have passed; an interrupt is
 * not noticed meanwhile, and a virtual thread keeps its carrier. Settings that are not given come from the environment.
 */
public class BlockingClient private constructor(private val calls: BlockingCalls) : AutoCloseable {
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
        BlockingCalls.open(settings(username, password, token, baseUrl, timeout, connectTimeout, maxRetries, caFile, trustEnv)),
    )

    /** A client for these credentials, for Java. */
    public constructor(username: String, password: String) : this(username, password, token = null)

    /** A client that takes everything from the environment, for Java. */
    public constructor() : this(username = null)

    /** Where the service is. */
    public val baseUrl: String get() = calls.baseUrl

    /** Sub-accounts: create, limit, watch, delete. For the parent account only. */
    public val subAccounts: BlockingSubAccounts = BlockingSubAccounts(calls)

    /** IPs that may use the proxies without credentials. */
    public val ips: BlockingIps = BlockingIps(calls)

    /** Hostnames that may use the proxies without credentials. */
    public val hostnames: BlockingHostnames = BlockingHostnames(calls)

    /** The proxies that the account may use. */
    public val proxies: BlockingProxies = BlockingProxies(calls)

    /** Bearer tokens. */
    public val tokens: BlockingTokens = BlockingTokens(calls)

    /** Exit IPs per country code. */
    public val geo: BlockingGeo = BlockingGeo(calls)

    /**
     * A client with other options, for some calls: `client.withOptions(maxRetries = 0).ips.list()`. It shares the connections of
     * this one, and is closed for itself. What is not given stays as it is.
     *
     * @param timeout how long one attempt may take.
     * @param maxRetries how often a call may be sent again.
     * @throws ConfigException an option is out of range, or this client is closed.
     */
    @JvmOverloads
    public fun withOptions(timeout: Duration?, maxRetries: Int? = null): BlockingClient =
        BlockingClient(calls.with(options(timeout, maxRetries)))

    /** A client that sends a call again at most so often; see the other [withOptions]. */
    public fun withOptions(maxRetries: Int): BlockingClient = withOptions(null, maxRetries)

    /**
     * Closes the client: later calls fail with [ConfigException]; calls under way go on. The connections are closed when the last
     * client that shares them is. To close twice is fine.
     */
    override fun close(): Unit = calls.close()

    /** Without the credentials. */
    override fun toString(): String = "BlockingClient(baseUrl=$baseUrl)"

    /** Settings for a [BlockingClient], for Java, which has no named arguments. */
    public class Builder internal constructor() {
        private var username: String? = null
        private var password: String? = null
        private var token: String? = null
        private var baseUrl: String? = null
        private var timeout: Duration? = null
        private var connectTimeout: Duration? = null
        private var maxRetries: Int? = null
        private var caFile: Path? = null
        private var trustEnv: Boolean = false

        /** The account's username, or a sub-account's; `PROXYMESH_USERNAME` by default. */
        public fun username(username: String): Builder = apply { this.username = username }

        /** Its password; `PROXYMESH_PASSWORD` by default. */
        public fun password(password: String): Builder = apply { this.password = password }

        /** A token (`pm_…`) instead of both; `PROXYMESH_TOKEN` by default. It cannot make the token calls. */
        public fun token(token: String): Builder = apply { this.token = token }

        /** Where the service is; `PROXYMESH_BASE_URL` by default, then `https://proxymesh.com`. */
        public fun baseUrl(baseUrl: String): Builder = apply { this.baseUrl = baseUrl }

        /** How long one attempt may take, from connecting to the last byte of the answer; 30 s by default. */
        public fun timeout(timeout: Duration): Builder = apply { this.timeout = timeout }

        /** How long connecting may take, TLS included; 10 s by default. */
        public fun connectTimeout(connectTimeout: Duration): Builder = apply { this.connectTimeout = connectTimeout }

        /** How often a call may be sent again, where that is safe; 2 by default. */
        public fun maxRetries(maxRetries: Int): Builder = apply { this.maxRetries = maxRetries }

        /** A PEM file with further CA certificates to trust. */
        public fun caFile(caFile: Path): Builder = apply { this.caFile = caFile }

        /** Whether `HTTPS_PROXY` and `NO_PROXY` count; no by default. */
        public fun trustEnv(trustEnv: Boolean): Builder = apply { this.trustEnv = trustEnv }

        /**
         * Makes the client. Nothing is sent.
         *
         * @throws ConfigException the settings are missing, contradictory or out of range.
         */
        public fun build(): BlockingClient =
            BlockingClient(username, password, token, baseUrl, timeout, connectTimeout, maxRetries, caFile, trustEnv)
    }

    /** Where to find the builder. */
    public companion object {
        /** Settings to make a client from; see [Builder]. */
        @JvmStatic
        public fun builder(): Builder = Builder()
    }
}
