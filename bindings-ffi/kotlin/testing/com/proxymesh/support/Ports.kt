package com.proxymesh.support

import java.net.BindException
import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random

/**
 * Ports that no other server of this process has used. On a reused port, the auth gate would remember the failed authentications of
 * the earlier server.
 */
internal object Ports {
    // These are below the ports that the system chooses.
    private val next = AtomicInteger(Random.nextInt(20_000, 30_000))

    fun listen(): ServerSocket {
        while (true) {
            try {
                return ServerSocket(next.getAndIncrement(), 1024, InetAddress.getLoopbackAddress())
            } catch (_: BindException) {
                // Another process uses this port.
            }
        }
    }

    fun free(): Int = listen().use { it.localPort }
}
