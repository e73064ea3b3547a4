package com.proxymesh.support

import com.proxymesh.AsyncClient
import com.proxymesh.BlockingClient
import com.proxymesh.Client
import com.proxymesh.ProxyServer
import com.proxymesh.ProxyMeshException
import kotlin.concurrent.thread
import kotlinx.coroutines.runBlocking

/** An application that uses every kind of client, for class loaders of its own and for processes of its own. */
object Application {
    /** Makes a call with each client, on this thread. */
    @JvmStatic
    fun run(baseUrl: String) {
        BlockingClient(USERNAME, PASSWORD, baseUrl = baseUrl).use { it.geo.open() }
        Client(USERNAME, PASSWORD, baseUrl = baseUrl).use { client -> runBlocking { client.geo.open() } }
        AsyncClient.builder().username(USERNAME).password(PASSWORD).baseUrl(baseUrl).build().use { it.geo.open().join() }
    }

    /** Starts calls of each kind, and does not wait for them. */
    private fun leave(baseUrl: String) {
        val client = AsyncClient.builder().username(USERNAME).password(PASSWORD).baseUrl(baseUrl).build()
        val blocking = BlockingClient(USERNAME, PASSWORD, baseUrl = baseUrl)
        repeat(200) { client.geo.open().thenApply { it.size } }
        repeat(4) { thread(isDaemon = true) { while (true) blocking.geo.open() } }
        Thread.sleep(20)
    }

    /** Loads the library, and makes calls if there is a base URL. With a second argument, the process ends during the calls. Prints the error if the library cannot be loaded. */
    @JvmStatic
    fun main(arguments: Array<String>) = try {
        ProxyServer("us-ca.proxymesh.com")
        when (arguments.size) {
            0 -> Unit
            1 -> run(arguments.single())
            else -> leave(arguments.first())
        }
        println("loaded")
    } catch (error: ProxyMeshException) {
        println(error.message)
    }
}
