package com.proxymesh

import com.proxymesh.internal.SubAccountFields as FfiSubAccountFields

/**
 * The fields that `create` and `edit` of [BlockingSubAccounts] and [AsyncSubAccounts] can set. This is for Java, which has no named arguments:
 *
 * ```java
 * client.getSubAccounts().create("crawler-1", new SubAccountFields().password("correct horse").monthlyLimit(5));
 * ```
 *
 * Fields that you do not set are not sent. In Kotlin, use the named arguments of those functions.
 */
public class SubAccountFields {
    @Transient private var password: String? = null
    private var firstName: String? = null
    private var lastName: String? = null
    private var email: String? = null
    private var monthlyLimit: Long? = null
    private var totalLimit: Long? = null

    /** Sets the password, 1 to 128 characters. */
    public fun password(password: String): SubAccountFields = apply { this.password = password }

    /** Sets the first name, at most 20 characters. In an edit, an empty string clears it. */
    public fun firstName(firstName: String): SubAccountFields = apply { this.firstName = firstName }

    /** Sets the last name, at most 20 characters. In an edit, an empty string clears it. */
    public fun lastName(lastName: String): SubAccountFields = apply { this.lastName = lastName }

    /** Sets the email address, at most 255 characters. In an edit, an empty string clears it. */
    public fun email(email: String): SubAccountFields = apply { this.email = email }

    /** Sets the limit per billing period in whole gigabytes; 0 means no limit. */
    public fun monthlyLimit(monthlyLimit: Long): SubAccountFields = apply { this.monthlyLimit = monthlyLimit }

    /** Sets the limit on the total usage in whole gigabytes; 0 means no limit. */
    public fun totalLimit(totalLimit: Long): SubAccountFields = apply { this.totalLimit = totalLimit }

    internal fun toFfi() = FfiSubAccountFields(password, firstName, lastName, email, monthlyLimit, totalLimit)
}
