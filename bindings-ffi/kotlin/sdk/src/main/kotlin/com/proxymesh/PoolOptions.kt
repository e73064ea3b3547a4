package com.proxymesh

import java.time.Duration as JavaDuration
import kotlin.time.Duration
import kotlin.time.toKotlinDuration

/** The order in which a pool hands out its proxies. This is not an enum, so that a later version can add an order without breaking a `when`. */
public class PoolOrder private constructor(internal val named: String) {
    /** The name of the order, such as `round_robin`. */
    override fun toString(): String = named

    /** The orders. */
    public companion object {
        /** In the order of the list, one after another. */
        @JvmField
        public val ROUND_ROBIN: PoolOrder = PoolOrder("round_robin")

        /** Every proxy once per round, in random order. */
        @JvmField
        public val RANDOM: PoolOrder = PoolOrder("random")

        /**
         * Faster proxies more often, in inverse proportion to their average latency. The latencies come from reports. A proxy without
         * one counts as the fastest.
         */
        @JvmField
        public val FASTEST: PoolOrder = PoolOrder("fastest")
    }
}

/**
 * The options of a pool. The pool checks them when it is created.
 *
 * ```kotlin
 * client.proxies.pool(PoolOptions(countries = listOf("DE", "FR"), order = PoolOrder.FASTEST))
 * ```
 *
 * Java has no named arguments. Use `new PoolOptions().withCountries("DE", "FR")` there.
 *
 * @property countries two-letter codes. The pool hands out only proxies with exit IPs in one of these countries; null means all proxies. An
 *   empty list is refused. The proxies with such exit IPs are those in the countries, and `open` and `world` if their geo counts include
 *   one. `open` and `world` are asked for an exit IP in the countries in turn.
 * @property exclude the proxies to leave out: hosts (`us-ca`), domains (`us-ca.proxymesh.com`) or `domain:port`.
 * @property order the order in which the proxies are handed out.
 * @property ttl how long a list of proxies is used before it is fetched again; 5 minutes if it is null. If it cannot be fetched, the old
 *   list stays in use.
 * @property cooldown how long a proxy is left out after its first failure; 60 s if it is null. Each further failure doubles the time, up to
 *   16 times this value.
 * @property hasCredentials whether the proxies are handed out with the client's credentials. They are not needed if this machine's IP is
 *   authorised.
 * @property isRotating whether each https request through one of the proxies opens a new tunnel; see [ProxyServer.rotating].
 */
public class PoolOptions(
    public val countries: List<String>? = null,
    public val exclude: List<String> = emptyList(),
    public val order: PoolOrder = PoolOrder.ROUND_ROBIN,
    public val ttl: Duration? = null,
    public val cooldown: Duration? = null,
    @get:JvmName("hasCredentials") public val hasCredentials: Boolean = true,
    public val isRotating: Boolean = false,
) {
    /** The options that leave everything at its default. This is for Java. */
    public constructor() : this(countries = null)

    /** A copy with these countries. */
    public fun withCountries(vararg countries: String): PoolOptions = copy(countries = countries.asList())

    /** A copy that leaves out these proxies. */
    public fun withExclude(vararg exclude: String): PoolOptions = copy(exclude = exclude.asList())

    /** A copy with this order. */
    public fun withOrder(order: PoolOrder): PoolOptions = copy(order = order)

    /** A copy that fetches the list again after this time. */
    public fun withTtl(ttl: JavaDuration): PoolOptions = copy(ttl = ttl.toKotlinDuration())

    /** A copy with this cooldown. */
    public fun withCooldown(cooldown: JavaDuration): PoolOptions = copy(cooldown = cooldown.toKotlinDuration())

    /** A copy that says whether the proxies are handed out with the client's credentials. */
    public fun withCredentials(hasCredentials: Boolean): PoolOptions = copy(hasCredentials = hasCredentials)

    /** A copy that says whether each https request through one of the proxies opens a new tunnel. */
    public fun withRotation(isRotating: Boolean): PoolOptions = copy(isRotating = isRotating)

    private fun copy(
        countries: List<String>? = this.countries,
        exclude: List<String> = this.exclude,
        order: PoolOrder = this.order,
        ttl: Duration? = this.ttl,
        cooldown: Duration? = this.cooldown,
        hasCredentials: Boolean = this.hasCredentials,
        isRotating: Boolean = this.isRotating,
    ) = PoolOptions(countries, exclude, order, ttl, cooldown, hasCredentials, isRotating)
}
