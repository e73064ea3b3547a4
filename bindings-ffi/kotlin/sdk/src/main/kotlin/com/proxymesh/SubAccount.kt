package com.proxymesh

/**
 * A sub-account, with what it has used and what it may use.
 *
 * @property username its name, with which it also logs in.
 * @property active whether it may use the proxies. The proxies answer 402 to one that is deactivated.
 * @property monthlyBandwidth gigabytes used in this billing period.
 * @property totalBandwidth gigabytes used ever; at least [monthlyBandwidth].
 * @property monthlyBandwidthLimit gigabytes it may use in a billing period; 0 is no limit. Set as `monthlyLimit`.
 * @property totalBandwidthLimit gigabytes it may use ever; 0 is no limit. Set as `totalLimit`.
 * @property firstName first name, if one was ever set.
 * @property lastName last name, if one was ever set.
 * @property email e-mail address, if one was ever set.
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
