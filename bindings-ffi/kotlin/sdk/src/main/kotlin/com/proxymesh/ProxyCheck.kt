package com.proxymesh

import java.time.Duration

/**
 * The result of a check of a proxy.
 *
 * @property isOk whether you can use the proxy: it responded with 200.
 * @property isReachable whether the proxy responded.
 * @property status the status of its response; null if it did not respond. 200 means that it opened a tunnel.
 * @property exitIp the exit IP, from the header `X-ProxyMesh-IP` of the response; null if it is not there.
 * @property isPreferredIpGone whether the proxy does not have the exit IP that the exit choice prefers. It then uses another one.
 * @property error why the proxy refused, in its own words; null if it did not say. It may contain anything, but it is one short line.
 * @property latency the time from the start of the connection to the response or the failure.
 * @property meaning what the result means, and what to do about it.
 */
public class ProxyCheck
    public constructor(
        public val isOk: Boolean,
        public val isReachable: Boolean,
        public val status: Int?,
        public val exitIp: String?,
        public val isPreferredIpGone: Boolean,
        public val error: String?,
        public val latency: Duration,
        public val meaning: String,
    ) {
        /** The status and what it means. */
        override fun toString(): String = "ProxyCheck(isOk=$isOk, status=$status, exitIp=$exitIp, latency=$latency, meaning=$meaning)"
    }
