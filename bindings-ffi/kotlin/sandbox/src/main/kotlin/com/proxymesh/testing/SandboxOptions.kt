package com.proxymesh.testing

/**
 * How to start a [Sandbox].
 *
 * ```kotlin
 * Sandbox.start(SandboxOptions(hasProxies = true))
 * ```
 *
 * Java has no named arguments. Use `new SandboxOptions().withProxies(true)` there.
 *
 * @property username the parent account's username.
 * @property password the parent account's password.
 * @property plan the plan, which limits tokens, sub-accounts and proxies: `trial`, `10`, `20`, `50` or `100`.
 * @property hasProxies whether the proxies run as well, each on a free port. The API lists them as `us-ca.localhost:PORT`.
 * @property monthlyLimit the limit of the account per month in gigabytes. Once it is reached, the proxies respond with 509. 0 means no limit.
 */
public class SandboxOptions(
    public val username: String = "parent",
    public val password: String = "parent-password",
    public val plan: String = "50",
    @get:JvmName("hasProxies") public val hasProxies: Boolean = false,
    public val monthlyLimit: Int = 0,
) {
    /** A copy with this username and password. */
    public fun withCredentials(username: String, password: String): SandboxOptions =
        SandboxOptions(username, password, plan, hasProxies, monthlyLimit)

    /** A copy with this plan. */
    public fun withPlan(plan: String): SandboxOptions = SandboxOptions(username, password, plan, hasProxies, monthlyLimit)

    /** A copy that runs the proxies as well, or not. */
    public fun withProxies(hasProxies: Boolean): SandboxOptions = SandboxOptions(username, password, plan, hasProxies, monthlyLimit)

    /** A copy with this limit. */
    public fun withMonthlyLimit(gigabytes: Int): SandboxOptions = SandboxOptions(username, password, plan, hasProxies, gigabytes)

    internal fun flags(): List<String> = buildList {
        addAll(listOf("--until-eof", "--username", username, "--plan", plan))
        if (hasProxies) add("--proxies")
        if (monthlyLimit != 0) addAll(listOf("--monthly-limit", "$monthlyLimit"))
    }
}
