package com.proxymesh

import java.time.Instant
import java.time.LocalDate

/**
 * A token, without its secret.
 *
 * @property id the ID, which the other token calls take.
 * @property label the label; empty if there is none.
 * @property isActive whether it is active. A deactivated token cannot be used.
 * @property expiresAt the date on which it expires; null means never.
 * @property createdAt when it was created. The service sends no time zone, so UTC is assumed.
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
 * @property token the token, as `list` returns it.
 * @property secret the secret, `pm_…`. Pass it to `Client(token = …)`, or to the proxies as `Proxy-Authorization: Bearer`.
 */
public data class NewToken(val token: Token, val secret: String) {
    /** The token, with the secret redacted. */
    override fun toString(): String = "NewToken(token=$token, secret=[redacted])"
}
