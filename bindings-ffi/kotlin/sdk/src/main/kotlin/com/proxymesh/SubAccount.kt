package com.proxymesh

/**
 * A sub-account with its usage and limits.
 *
 * @property username the username. The sub-account logs in with it.
 * @property active whether it may use the proxies. The proxies respond with 402 to a deactivated sub-account.
 * @property monthlyBandwidth the gigabytes used in this billing period.
 * @property totalBandwidth the gigabytes used in total; at least [monthlyBandwidth].
 * @property monthlyBandwidthLimit the limit per billing period in gigabytes; 0 means no limit. Set it with `monthlyLimit`.
 * @property totalBandwidthLimit the limit on the total usage in gigabytes; 0 means no limit. Set it with `totalLimit`.
 * @property firstName the first name, if one was ever set.
 * @property lastName the last name, if one was ever set.
 * @property email the email address, if one was ever set.
 */
public data class SubAccount(
    val username: String,
    val active: Boolean,
    val monthlyBandwidth: Double,
    val totalBandwidth: Double,
    val monthlyBandwidthLimit: Long,
    val totalBandwidthLimit: Long,
    val firstName: String?,
    val lastName: String?,
    val email: String?,
)
