package com.proxymesh

/**
 * A sub-account with its usage and limits.
 *
 * @property username the username. The sub-account logs in with it.
 * @property isActive whether it may use the proxies. The proxies respond with 402 to a deactivated sub-account.
 * @property monthlyBandwidth the gigabytes used in this billing period.
 * @property totalBandwidth the gigabytes used in total; at least [monthlyBandwidth].
 * @property monthlyBandwidthLimit the limit per billing period in gigabytes; 0 means no limit. Set it with `monthlyLimit`.
 * @property totalBandwidthLimit the limit on the total usage in gigabytes; 0 means no limit. Set it with `totalLimit`.
 * @property firstName the first name, if one was ever set.
 * @property lastName the last name, if one was ever set.
 * @property email the email address, if one was ever set.
 */
public class SubAccount(
    public val username: String,
    public val isActive: Boolean,
    public val monthlyBandwidth: Double,
    public val totalBandwidth: Double,
    public val monthlyBandwidthLimit: Long,
    public val totalBandwidthLimit: Long,
    public val firstName: String?,
    public val lastName: String?,
    public val email: String?,
) {
    private val all
        get() = listOf(
            username, isActive, monthlyBandwidth, totalBandwidth, monthlyBandwidthLimit, totalBandwidthLimit, firstName, lastName, email,
        )

    /** Whether all properties are the same. */
    override fun equals(other: Any?): Boolean = other is SubAccount && all == other.all

    /** A hash of all properties. */
    override fun hashCode(): Int = all.hashCode()

    /** All properties. */
    override fun toString(): String =
        "SubAccount(username=$username, isActive=$isActive, monthlyBandwidth=$monthlyBandwidth, totalBandwidth=$totalBandwidth, " +
            "monthlyBandwidthLimit=$monthlyBandwidthLimit, totalBandwidthLimit=$totalBandwidthLimit, firstName=$firstName, " +
            "lastName=$lastName, email=$email)"
}
