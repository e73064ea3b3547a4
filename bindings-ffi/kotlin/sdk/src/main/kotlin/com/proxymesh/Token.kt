package com.proxymesh

import java.time.Instant
import java.time.LocalDate

/**
 * A token, without its secret.
 *
 * @property id the token's number, which the other token calls take.
 * @property label the label; empty if there is none.
 * @property isActive whether it may be used.
 * @property expiresAt the date on which it expires; null means never.
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
 * A new token with its secret. The service shows the secret only once, so store it now. [toString] redacts it.
 *
 * @property token the token, as the list call returns it.
 * @property secret the secret, `pm_…`. Use it in `Client(token = …)`, and for the proxies as `Proxy-Authorization: Bearer`.
 */
public data class NewToken(val token: Token, val secret: String) {
    /** The token, with the secret redacted. */
    override fun toString(): String = "NewToken(token=$token, secret=[redacted])"
}
