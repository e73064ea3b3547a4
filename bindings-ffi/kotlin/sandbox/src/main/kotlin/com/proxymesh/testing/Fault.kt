package com.proxymesh.testing

import java.time.Duration
import kotlin.time.toJavaDuration
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlin.time.Duration as KotlinDuration

/**
 * A way in which a call fails. [Sandbox.inject] takes it. Without further conditions, the next call of any kind meets it, once.
 *
 * ```kotlin
 * sandbox.inject(Fault.status(503).path("/api/proxies/").times(2))
 * ```
 */
public class Fault private constructor(private val fields: Map<String, JsonElement>) {
    /** Applies only to calls with this method. */
    public fun method(method: String): Fault = with("method", method)

    /** Applies only to calls with this path, such as `/api/ip/add/`. */
    public fun path(path: String): Fault = with("path", path)

    /** Applies to requests to this proxy, such as `us-ca`, instead of API calls: only for [status], [drop], [reset] and [delay]. */
    public fun proxy(name: String): Fault = with("proxy", name)

    /** How many calls meet it; 0 means all. */
    public fun times(times: Int): Fault = with("times", times)

    /** How many matching calls pass first. */
    public fun after(calls: Int): Fault = with("after", calls)

    /** Adds a header to the response of [status]. */
    public fun header(name: String, value: String): Fault {
        val headers = (fields["headers"] as? JsonObject).orEmpty() + (name to JsonPrimitive(value))
        return Fault(fields + ("headers" to JsonObject(headers)))
    }

    /** Sets the body of the response of [status]. */
    public fun body(text: String): Fault = with("body", text)

    /** The fault as the sandbox's control accepts it. */
    override fun toString(): String = json().toString()

    internal fun json() = JsonObject(fields)

    private fun with(name: String, value: String) = Fault(fields + (name to JsonPrimitive(value)))

    private fun with(name: String, value: Number) = Fault(fields + (name to JsonPrimitive(value)))

    /** The kinds of faults. */
    public companion object {
        /** The call is not carried out, and the response has this status. */
        @JvmStatic
        public fun status(status: Int): Fault = of("status").with("status", status)

        /** The call is not carried out, and the response is a redirect (302). */
        @JvmStatic
        public fun redirect(): Fault = of("redirect")

        /** The call is not carried out, and the connection closes without a response. */
        @JvmStatic
        public fun drop(): Fault = of("drop")

        /** The call is not carried out, and the connection is reset. */
        @JvmStatic
        public fun reset(): Fault = of("reset")

        /** The call is carried out after this time, unless the client disconnects before. */
        @JvmStatic
        public fun delay(time: Duration): Fault = of("delay", time)

        /** The same with a `kotlin.time.Duration`; see the other [delay]. */
        public fun delay(time: KotlinDuration): Fault = delay(time.toJavaDuration())

        /** The call is carried out at once, and the response comes after this time. */
        @JvmStatic
        public fun delayAfterApply(time: Duration): Fault = of("delay_after_apply", time)

        /** The same with a `kotlin.time.Duration`; see the other [delayAfterApply]. */
        public fun delayAfterApply(time: KotlinDuration): Fault = delayAfterApply(time.toJavaDuration())

        /** The call is carried out, and the connection closes without a response. */
        @JvmStatic
        public fun dropAfterApply(): Fault = of("drop_after_apply")

        /** The call is carried out, and the connection closes halfway through the response. */
        @JvmStatic
        public fun truncate(): Fault = of("truncate")

        /** The call is carried out, and the response is random bytes. */
        @JvmStatic
        public fun garbage(): Fault = of("garbage")

        /** The call is carried out, and the response is an HTML page. */
        @JvmStatic
        public fun html(): Fault = of("html")

        /** The call is carried out, and the response is empty. */
        @JvmStatic
        public fun empty(): Fault = of("empty")

        private fun of(kind: String) = Fault(mapOf("kind" to JsonPrimitive(kind)))

        private fun of(kind: String, time: Duration) = of(kind).with("seconds", time.toMillis() / 1e3)
    }
}
