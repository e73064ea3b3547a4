package com.proxymesh.support

import com.proxymesh.AsyncClient
import com.proxymesh.BlockingClient
import com.proxymesh.Client
import com.proxymesh.Proxy
import com.proxymesh.ProxyMeshException
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

    /** Loads the library, and makes calls if there is a base URL. Prints the error if the library cannot be loaded. */
    @JvmStatic
    fun main(arguments: Array<String>) = try {
        Proxy("us-ca.proxymesh.com")
        arguments.forEach(::run)
        println("loaded")
    } catch (error: ProxyMeshException) {
        println(error.message)
    }
}
