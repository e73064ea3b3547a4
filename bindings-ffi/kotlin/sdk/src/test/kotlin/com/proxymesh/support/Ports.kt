package com.proxymesh.support

import java.net.BindException
import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random

/**
 * Ports that no server of this process has had before. On a port used again, the auth gate would remember the failed authentications
 * of the server before.
 */
internal object Ports {
    // Below those that the system chooses by itself.
    private val next = AtomicInteger(Random.nextInt(20_000, 30_000))

    fun listen(): ServerSocket {
        while (true) {
            try {
                return ServerSocket(next.getAndIncrement(), 1024, InetAddress.getLoopbackAddress())
            } catch (_: BindException) {
                // Another process has it.
            }
        }
    }

    fun free(): Int = listen().use { it.localPort }
}
