package com.proxymesh

import java.time.Duration
import java.util.concurrent.Executor

/**
 * A client for Java whose calls return a [java.util.concurrent.CompletableFuture].
 *
 * ```java
 * try (var client = AsyncClient.builder().username("me@ex.com").password("secret").maxRetries(4).build()) {
 *     client.getIps().add("203.0.113.7", "office").thenCompose(ip -> client.getIps().list()).thenAccept(System.out::println).join();
 * }
 * ```
 *
 * Any number of threads may share one client. The calls block no thread. A call starts at once.
 *
 * If you complete the future of a call before its response arrives, by `cancel`, `orTimeout` or in any other way, this ends the call and
 * closes its connection. There is one exception: until the credentials have worked once, the request continues for up to five seconds,
 * because its response shows whether they are right. After a cancellation, it is unknown whether a write was carried out. As always with
 * `CompletableFuture`, cancelling a stage that depends on the call, such as the result of `thenApply`, does not cancel the call.
 *
 * The future of a failed call has a [ProxyMeshException]. `join` throws it as the cause of a `CompletionException`, and `get` as the cause
 * of an `ExecutionException`.
 *
 * When a response arrives, what depends on its future, such as a function in `thenApply`, runs on a thread of the [Builder.executor], or
 * on a thread that waits in `join` or `get`. There it may block. As always, a function that you add to a completed future runs at once on
 * your thread, and after `cancel` or `orTimeout` it runs on the thread that completed the future.
 */
public class AsyncClient private constructor(@get:JvmSynthetic internal val calls: AsyncCalls) : AutoCloseable {
    /** Creates a client with this username and password. For other settings, use [builder]. Nothing is sent. */
    public constructor(username: String, password: String) : this(AsyncCalls.open(username, password))

    /** Creates a client with the settings from the environment. Nothing is sent. */
    public constructor() : this(AsyncCalls.open(null, null))

    /** The base URL of the service, without a trailing slash. */
    public val baseUrl: String = calls.baseUrl()

    /** Sub-accounts. Only the parent account may make these calls. */
    public val subAccounts: AsyncSubAccounts = AsyncSubAccounts(calls)

    /** IPs that may use the proxies without credentials. */
    public val ips: AsyncIps = AsyncIps(calls)

    /** Hostnames that may use the proxies without credentials. */
    public val hostnames: AsyncHostnames = AsyncHostnames(calls)

    /** The proxies that the account may use. */
    public val proxies: AsyncProxies = AsyncProxies(calls)

    /** Bearer tokens. These calls require the parent account's username and password. */
    public val tokens: AsyncTokens = AsyncTokens(calls)

    /** The number of exit IPs in each country. */
    public val geo: AsyncGeo = AsyncGeo(calls)

    /**
     * Returns a client with different options for its calls. It shares this client's connections, but is closed separately. Options that
     * you omit or that are null stay the same.
     *
     * @param timeout the time limit for one attempt.
     * @param maxRetries how many times a call may be retried, if that is safe.
     * @throws ConfigException an option is invalid, or this client is closed.
     */
    @JvmOverloads
    public fun withOptions(timeout: Duration?, maxRetries: Int? = null): AsyncClient =
        AsyncClient(calls.with(options(timeout, maxRetries)))

    /** Returns a client that retries a call at most this many times; see the other [withOptions]. */
    public fun withOptions(maxRetries: Int): AsyncClient = withOptions(null, maxRetries)

    /**
     * Closes the client. Later calls fail with [ConfigException]; calls in progress continue. The connections close with the last
     * client that shares them. You may close a client twice.
     */
    override fun close(): Unit = calls.close()

    /** The class and the URL, without the credentials. */
    override fun toString(): String = "AsyncClient(baseUrl=$baseUrl)"

    /** The settings for a new [AsyncClient]. */
    public class Builder internal constructor() : ClientBuilder<Builder>() {
        private var executor: Executor? = null

        /**
         * Sets the executor for the functions that depend on a future. By default, threads of the SDK run them, as many as are needed at a
         * time. They are daemons, and end when they have had nothing to do for five seconds.
         */
        public fun executor(executor: Executor): Builder = apply { this.executor = executor }

        /**
         * Creates the client. Nothing is sent.
         *
         * @throws ConfigException a setting is missing or invalid, or settings contradict each other.
         */
        public fun build(): AsyncClient = AsyncClient(AsyncCalls.open(chosen, executor))
    }

    /** Creates builders. */
    public companion object {
        /** Returns a [Builder] in which nothing is set. */
        @JvmStatic
        public fun builder(): Builder = Builder()
    }
}
