package com.proxymesh

/**
 * A sub-account with its usage and limits.
 *
 * @property username its username, which is also its login.
 * @property active whether it may use the proxies. They answer a deactivated sub-account with 402.
 * @property monthlyBandwidth the gigabytes used in this billing period.
 * @property totalBandwidth the gigabytes used in total; at least [monthlyBandwidth].
 * @property monthlyBandwidthLimit the limit per billing period in gigabytes; 0 means no limit. Set it as `monthlyLimit`.
 * @property totalBandwidthLimit the overall limit in gigabytes; 0 means no limit. Set it as `totalLimit`.
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
