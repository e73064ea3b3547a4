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
public class Token(
    public val id: Long,
    public val label: String,
    public val isActive: Boolean,
    public val expiresAt: LocalDate?,
    public val createdAt: Instant,
) {
    private val all get() = listOf(id, label, isActive, expiresAt, createdAt)

    /** Whether all properties are the same. */
    override fun equals(other: Any?): Boolean = other is Token && all == other.all

    /** A hash of all properties. */
    override fun hashCode(): Int = all.hashCode()

    /** All properties. */
    override fun toString(): String =
        "Token(id=$id, label=$label, isActive=$isActive, expiresAt=$expiresAt, createdAt=$createdAt)"
}

/**
 * A new token with its secret. The service shows the secret only once, so store it now. Neither [toString] nor a serializer such as
 * Jackson or Gson shows the secret.
 *
 * @property token the token, as `list` returns it.
 */
public class NewToken(public val token: Token, secret: String) {
    /**
     * The secret, `pm_…`. Pass it to `Client(token = …)`, or to the proxies as `Proxy-Authorization: Bearer`. In Java, this is
     * `secret()`. It has no getter, because a serializer would call that.
     */
    @Transient
    @get:JvmName("secret")
    public val secret: String = secret

    /** Whether both have the same properties. */
    override fun equals(other: Any?): Boolean = other is NewToken && token == other.token && secret == other.secret

    /** A hash of the token without its secret. */
    override fun hashCode(): Int = token.hashCode()

    /** The token, with the secret redacted. */
    override fun toString(): String = "NewToken(token=$token, secret=[redacted])"
}
