package com.proxymesh

import com.proxymesh.internal.exitChoiceOf
import com.proxymesh.internal.ExitChoice as CrossingExitChoice

/**
 * Which exit IP a proxy is asked for; what is not given is for the proxy to choose.
 *
 * ```kotlin
 * val proxy = Proxy("open.proxymesh.com")
 * proxy.headers(ExitChoice(country = "DE"))   // {X-ProxyMesh-Country=DE}
 * ```
 *
 * Java, which has no named arguments, says the same with `new ExitChoice().withCountry("DE")`.
 *
 * @param country two letters, as the geo calls give them; with the proxies `open` and `world`.
 * @param preferIp the exit IP that is wanted, if the proxy has it.
 * @param notIps the exit IPs that are not.
 * @throws ValidationException one of them is malformed.
 */
public class ExitChoice
    @JvmOverloads
    constructor(country: String? = null, preferIp: String? = null, notIps: List<String> = emptyList()) {
        private val checked = CheckedExit.of(country, preferIp, notIps)

        /** The country asked for, in capitals. */
        public val country: String? get() = checked.country

        /** The exit IP asked for. */
        public val preferIp: String? get() = checked.preferIp

        /** The exit IPs not wanted. */
        public val notIps: List<String> get() = checked.notIps

        /** The same in another country. */
        public fun withCountry(country: String): ExitChoice = ExitChoice(country, preferIp, notIps)

        /** The same with another exit IP that is wanted. */
        public fun withPreferIp(preferIp: String): ExitChoice = ExitChoice(country, preferIp, notIps)

        /** The same with other exit IPs that are not. */
        public fun withNotIps(vararg notIps: String): ExitChoice = ExitChoice(country, preferIp, notIps.asList())

        /** Whether it asks for the same. */
        override fun equals(other: Any?): Boolean = other is ExitChoice && checked == other.checked

        /** Of all that it asks for. */
        override fun hashCode(): Int = checked.hashCode()

        /** All that it asks for. */
        override fun toString(): String = "ExitChoice(country=$country, preferIp=$preferIp, notIps=$notIps)"
    }

internal fun ExitChoice.crossing() = CrossingExitChoice(country, preferIp, notIps)

/** A choice as the core writes it. */
internal data class CheckedExit(val country: String?, val preferIp: String?, val notIps: List<String>) {
    companion object {
        fun of(country: String?, preferIp: String?, notIps: List<String>): CheckedExit = translated {
            exitChoiceOf(CrossingExitChoice(country, preferIp, notIps)).let { CheckedExit(it.country, it.preferIp, it.notIps) }
        }
    }
}
