package com.proxymesh

import java.nio.file.Path
import java.time.Duration

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
 * Any number of threads may share a client. A call blocks its thread until it is done or its time limits have passed. It ignores
 * interrupts. A virtual thread keeps its carrier during a call.
 */
public class BlockingClient private constructor(private val calls: BlockingCalls) : AutoCloseable {
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
        BlockingCalls.open(settings(username, password, token, baseUrl, timeout, connectTimeout, maxRetries, caFile, trustEnv)),
    )

    /** Creates a client with these credentials, for Java. */
    public constructor(username: String, password: String) : this(username, password, token = null)

    /** Creates a client with the settings from the environment, for Java. */
    public constructor() : this(username = null)

    /** The service's URL. */
    public val baseUrl: String get() = calls.baseUrl

    /** Sub-accounts. Only the parent account may make these calls. */
    public val subAccounts: BlockingSubAccounts = BlockingSubAccounts(calls)

    /** IP addresses that may use the proxies without credentials. */
    public val ips: BlockingIps = BlockingIps(calls)

    /** Hostnames that may use the proxies without credentials. */
    public val hostnames: BlockingHostnames = BlockingHostnames(calls)

    /** The proxies that the account may use. */
    public val proxies: BlockingProxies = BlockingProxies(calls)

    /** Bearer tokens. These calls need the account's username and password. */
    public val tokens: BlockingTokens = BlockingTokens(calls)

    /** The number of exit IPs in each country. */
    public val geo: BlockingGeo = BlockingGeo(calls)

    /**
     * A client with other options, for some of the calls: `client.withOptions(maxRetries = 0).ips.list()`. It shares the connections
     * of this client, but is closed separately. Options that you omit stay the same.
     *
     * @param timeout the limit for one attempt.
     * @param maxRetries how often a call may be sent again.
     * @throws ConfigException an option is out of range, or this client is closed.
     */
    @JvmOverloads
    public fun withOptions(timeout: Duration?, maxRetries: Int? = null): BlockingClient =
        BlockingClient(calls.with(options(timeout, maxRetries)))

    /** A client that sends a call again at most this often; see the other [withOptions]. */
    public fun withOptions(maxRetries: Int): BlockingClient = withOptions(null, maxRetries)

    /**
     * Closes the client. Later calls fail with [ConfigException]; calls in progress continue. The connections close with the last
     * client that shares them. You may close a client twice.
     */
    override fun close(): Unit = calls.close()

    /** The class and the URL, without the credentials. */
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

        /** The username of the account or of a sub-account; `PROXYMESH_USERNAME` by default. */
        public fun username(username: String): Builder = apply { this.username = username }

        /** Its password; `PROXYMESH_PASSWORD` by default. */
        public fun password(password: String): Builder = apply { this.password = password }

        /** A token (`pm_…`) instead of a username and password; `PROXYMESH_TOKEN` by default. It cannot make the token calls. */
        public fun token(token: String): Builder = apply { this.token = token }

        /** The service's URL; by default `PROXYMESH_BASE_URL`, or else `https://proxymesh.com`. */
        public fun baseUrl(baseUrl: String): Builder = apply { this.baseUrl = baseUrl }

        /** The limit for one attempt, from connecting to the last byte of the response; 30 s by default. */
        public fun timeout(timeout: Duration): Builder = apply { this.timeout = timeout }

        /** The limit for connecting, TLS included; 10 s by default. */
        public fun connectTimeout(connectTimeout: Duration): Builder = apply { this.connectTimeout = connectTimeout }

        /** How often a call may be sent again if that is safe; 2 by default. */
        public fun maxRetries(maxRetries: Int): Builder = apply { this.maxRetries = maxRetries }

        /** A PEM file with additional CA certificates to trust. */
        public fun caFile(caFile: Path): Builder = apply { this.caFile = caFile }

        /** Whether to use `HTTPS_PROXY` and `NO_PROXY`; off by default. */
        public fun trustEnv(trustEnv: Boolean): Builder = apply { this.trustEnv = trustEnv }

        /**
         * Creates the client, without sending anything.
         *
         * @throws ConfigException the settings are missing, contradictory or out of range.
         */
        public fun build(): BlockingClient =
            BlockingClient(username, password, token, baseUrl, timeout, connectTimeout, maxRetries, caFile, trustEnv)
    }

    /** Makes builders. */
    public companion object {
        /** A [Builder] without any settings. */
        @JvmStatic
        public fun builder(): Builder = Builder()
    }
}
