package com.proxymesh

import com.proxymesh.internal.proxyOf
import com.proxymesh.internal.proxyUrlWith

/**
 * A proxy server that the account may use.
 *
 * ```kotlin
 * val proxy = Proxy("us-ca.proxymesh.com")
 * proxy.name                      // us-ca
 * proxy.url                       // http://us-ca.proxymesh.com:31280
 * proxy.url("me@ex.com", "a b")   // http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280
 * ```
 *
 * @property host the domain, such as `us-ca.proxymesh.com`.
 * @property port the port, usually 31280.
 * @throws ValidationException the host is no DNS name, or the port not from 1 to 65535.
 */
public class Proxy
    internal constructor(public val host: String, public val port: Int, checked: CheckedProxy) {
        /** A proxy at this host and port. */
        @JvmOverloads
        public constructor(host: String, port: Int = 31280) : this(host, port, CheckedProxy.of(host, port))

        /** The first part of the domain, such as `us-ca`. */
        public val name: String = checked.name

        /** The URL without credentials, for a machine whose IP or hostname is authorised. */
        public val url: String = checked.url

        /**
         * The URL with credentials, for any HTTP library. They are percent-encoded, so that an `@` or `:` in them is safe. The
         * URL holds the password: keep it out of logs.
         *
         * @param username the account's, or a sub-account's.
         * @param password its password.
         */
        public fun url(username: String, password: String): String =
            translated { proxyUrlWith(host, port, username, password) }

        /** Whether it is the same host and port. */
        override fun equals(other: Any?): Boolean = other is Proxy && host == other.host && port == other.port

        /** Of the host and port. */
        override fun hashCode(): Int = 31 * host.hashCode() + port

        /** `domain:port` */
        override fun toString(): String = "$host:$port"
    }

/** What the core makes of a host and port; those that the service lists come with it. */
internal class CheckedProxy(val name: String, val url: String) {
    companion object {
        fun of(host: String, port: Int): CheckedProxy = translated { proxyOf(host, port).let { CheckedProxy(it.name, it.url) } }
    }
}
