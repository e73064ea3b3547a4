package com.proxymesh.testing

import com.proxymesh.AsyncClient
import com.proxymesh.BlockingClient
import com.proxymesh.Client
import java.io.BufferedReader
import java.io.IOException
import java.time.Duration
import java.time.Instant
import java.util.concurrent.TimeUnit
import kotlin.time.toJavaDuration
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put
import kotlin.time.Duration as KotlinDuration

/**
 * An emulation of the service, for testing code that uses the SDK. It is a real server on this machine, with the state, the limits and the
 * errors of the service, and it is as strict. Each sandbox is an account of its own.
 *
 * ```kotlin
 * Sandbox.start().use { sandbox ->
 *     sandbox.blockingClient().use { client -> client.ips.add("203.0.113.7") }
 *     check(sandbox.requests().single().path == "/api/ip/add/")
 * }
 * ```
 *
 * In a JUnit test, [WithSandbox] creates one for each test. The server runs in a process of its own, which ends with [close], and also if
 * this JVM is killed.
 */
public class Sandbox private constructor(
    private val process: Process,
    output: BufferedReader,
    private val options: SandboxOptions,
) : AutoCloseable {
    /** The base URL to pass to a client. */
    public val baseUrl: String = address(output)

    private val controls = Controls(baseUrl)

    /** The username of the parent account. */
    public val username: String get() = options.username

    /** The password of the parent account. */
    public val password: String get() = options.password

    /** Creates a client of the parent account. The caller closes it. */
    public fun client(): Client = Client(username, password, baseUrl = baseUrl)

    /** Creates a client of the parent account. The caller closes it. */
    public fun blockingClient(): BlockingClient = BlockingClient(username, password, baseUrl = baseUrl)

    /** Creates a client of the parent account. The caller closes it. */
    public fun asyncClient(): AsyncClient =
        AsyncClient.builder().username(username).password(password).baseUrl(baseUrl).build()

    /** The API calls that have arrived, oldest first. */
    public fun requests(): List<RecordedRequest> =
        controls.get("requests").jsonArray.map { RecordedRequest.of(it.jsonObject) }

    /** Forgets the API calls that have arrived. */
    public fun clearRequests() {
        controls.delete("requests")
    }

    /** The requests that the proxies have received, oldest first. There are none without [SandboxOptions.hasProxies]. */
    public fun proxied(): List<ProxiedRequest> =
        controls.get("proxied").jsonArray.map { ProxiedRequest.of(it.jsonObject) }

    /** Forgets the requests that the proxies have received. */
    public fun clearProxied() {
        controls.delete("proxied")
    }

    /**
     * Makes the next matching call fail. If several faults match, the one that was injected first applies.
     *
     * @throws IllegalArgumentException the fault is invalid.
     */
    public fun inject(fault: Fault) {
        controls.post("faults", fault.json())
    }

    /** Forgets the faults that no call has met yet. */
    public fun clearFaults() {
        controls.delete("faults")
    }

    /** How many injected faults still wait for a call. */
    public fun pendingFaults(): Int = controls.get("faults").jsonArray.size

    /** The sandbox's time, which applies to bans, tokens and billing. */
    public fun now(): Instant = Instant.parse(controls.get("clock").jsonObject.getValue("now").jsonPrimitive.content)

    /** Moves the sandbox's time forward. */
    public fun advance(time: Duration) {
        controls.post("clock", buildJsonObject { put("advance_seconds", time.toMillis() / MILLIS) })
    }

    /** The same with a `kotlin.time.Duration`; see the other [advance]. */
    public fun advance(time: KotlinDuration): Unit = advance(time.toJavaDuration())

    /**
     * Adds traffic to the parent or to a sub-account.
     *
     * @param username the account.
     * @param gigabytes how much.
     * @throws IllegalArgumentException there is no such account, or the number is invalid.
     */
    public fun addUsage(username: String, gigabytes: Double) {
        controls.post("usage", buildJsonObject { put("username", username); put("gigabytes", gigabytes) })
    }

    /** Restores the initial state, without requests and faults. The clock shows the real time again. */
    public fun reset() {
        controls.post("reset", null)
    }

    /** Stops the server. You may close a sandbox twice. */
    override fun close() {
        // The server ends with its input.
        process.outputStream.close()
        if (!process.waitFor(PATIENCE, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
    }

    /** The class and the URL. */
    override fun toString(): String = "Sandbox(baseUrl=$baseUrl)"

    /** Starts sandboxes. */
    public companion object {
        private const val PATIENCE = 10L
        private const val MILLIS = 1e3

        /**
         * Starts a sandbox.
         *
         * @throws IllegalArgumentException an option is invalid.
         * @throws IllegalStateException the server cannot be started. The message says why.
         */
        @JvmStatic
        @JvmOverloads
        public fun start(options: SandboxOptions = SandboxOptions()): Sandbox {
            val flags = options.flags()
            val builder = ProcessBuilder(listOf(program().toString()) + flags)
            builder.environment()["PROXYMESH_SANDBOX_PASSWORD"] = options.password
            val process = try {
                // Whichever it prints, the first line says where it listens, or why it does not.
                builder.redirectErrorStream(true).start()
            } catch (error: IOException) {
                throw IllegalStateException("could not start the sandbox: ${error.message}", error)
            }
            return try {
                Sandbox(process, process.inputReader(), options)
            } catch (error: Throwable) {
                process.destroyForcibly()
                throw error
            }
        }

        private fun address(output: BufferedReader): String {
            val line = output.readLine() ?: throw IllegalStateException("the sandbox ended at once")
            return line.substringAfter("listening on ", "").ifEmpty { throw IllegalArgumentException("the sandbox did not start: $line") }
        }
    }
}
