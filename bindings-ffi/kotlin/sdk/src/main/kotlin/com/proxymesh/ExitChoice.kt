package com.proxymesh

import com.proxymesh.internal.exitChoiceOf
import com.proxymesh.internal.ExitChoice as FfiExitChoice

/**
 * Which exit IP to ask a proxy for. The proxy chooses what you leave open.
 *
 * ```kotlin
 * val proxy = ProxyServer("open.proxymesh.com")
 * proxy.steer(ExitChoice(country = "DE")).headers()   // {X-ProxyMesh-Country=DE}
 * ```
 *
 * Java has no named arguments. Use `new ExitChoice().withCountry("DE")` there.
 *
 * @param country a two-letter code, as the geo calls return it. Only the proxies `open` and `world` can choose a country.
 * @param preferIp the exit IP to use if the proxy has it.
 * @param notIps the exit IPs to avoid.
 * @param holdIp the exit IP to hold, instead of [preferIp]; see [ProxyServer.session].
 * @throws ValidationException an argument is malformed.
 */
public class ExitChoice
    internal constructor(private val checked: CheckedExit) {
        @JvmOverloads
        public constructor(
            country: String? = null,
            preferIp: String? = null,
            notIps: List<String> = emptyList(),
            holdIp: String? = null,
        ) : this(CheckedExit.of(country, preferIp, notIps, holdIp))

        /** The country code, in upper case. */
        public val country: String? get() = checked.country

        /** The exit IP to use if the proxy has it. */
        public val preferIp: String? get() = checked.preferIp

        /** The exit IPs to avoid. */
        public val notIps: List<String> get() = checked.notIps

        /** The exit IP to hold. */
        public val holdIp: String? get() = checked.holdIp

        /** A copy with this country. */
        public fun withCountry(country: String): ExitChoice = ExitChoice(country, preferIp, notIps, holdIp)

        /** A copy that prefers this exit IP, and holds none. */
        public fun withPreferIp(preferIp: String): ExitChoice = ExitChoice(country, preferIp, notIps, null)

        /** A copy that avoids these exit IPs. */
        public fun withNotIps(vararg notIps: String): ExitChoice = ExitChoice(country, preferIp, notIps.asList(), holdIp)

        /** A copy that holds this exit IP, and prefers none. */
        public fun withHoldIp(holdIp: String): ExitChoice = ExitChoice(country, null, notIps, holdIp)

        /** Whether both are the same choice. */
        override fun equals(other: Any?): Boolean = other is ExitChoice && checked == other.checked

        /** A hash of all properties. */
        override fun hashCode(): Int = checked.hashCode()

        /** All properties. */
        override fun toString(): String = "ExitChoice(country=$country, preferIp=$preferIp, notIps=$notIps, holdIp=$holdIp)"
    }

internal fun ExitChoice.toFfi() = FfiExitChoice(country, preferIp, holdIp, notIps)

/** A choice that the core has checked and normalised. */
internal data class CheckedExit(val country: String?, val preferIp: String?, val notIps: List<String>, val holdIp: String?) {
    constructor(ffi: FfiExitChoice) : this(ffi.country, ffi.preferIp, ffi.notIps, ffi.holdIp)

    companion object {
        fun of(country: String?, preferIp: String?, notIps: List<String>, holdIp: String?): CheckedExit =
            run(exitChoiceOf(FfiExitChoice(country, preferIp, holdIp, notIps)), ::CheckedExit)
    }
}
