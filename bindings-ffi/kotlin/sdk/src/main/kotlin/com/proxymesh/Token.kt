package com.proxymesh

import java.time.Instant
import java.time.LocalDate

/**
 * A token, without its secret value.
 *
 * @property id its number, which the other token calls take.
 * @property label its label; no label is the empty text.
 * @property isActive whether it may be used.
 * @property expiresAt the date on which it expires; null is never.
 * @property createdAt when it was created.
 */
public data class Token(
    val id: Long,
    val label: String,
    val isActive: Boolean,
    val expiresAt: LocalDate?,
    val createdAt: Instant,
)

/**
 * A token just created, with its secret value, which the service shows this once: store it now. [toString] shows it redacted.
 *
 * @property token the token as it will be listed.
 * @property secret the secret, `pm_…`: for `Client(token = …)`, and for the proxies as `Proxy-Authorization: Bearer`.
 */
public data class NewToken(val token: Token, val secret: String) {
    /** The token, and the secret redacted. */
    override fun toString(): String = "NewToken(token=$token, secret=[redacted])"
}
