package com.proxymesh.support

import com.proxymesh.BlockingClient
import com.proxymesh.Client
import com.proxymesh.ConfigException
import com.proxymesh.ProxyServer
import com.proxymesh.ProxyMeshException
import java.io.Closeable
import java.io.File
import java.io.FileInputStream
import java.io.IOException
import kotlin.system.exitProcess
import kotlinx.coroutines.runBlocking

/** A program that makes calls with few descriptors. ResourcesTest starts it. Any exception that is not the SDK's ends it. */
fun main(arguments: Array<String>) {
    val baseUrl = arguments.single()
    loadClasses("com.proxymesh.ProxyServer", "com.proxymesh.internal.Failure", "com.proxymesh.support.FewResourcesKt")
    withDescriptors(0) {}

    for (left in 0..40) report("load", left) { withDescriptors(left) { ProxyServer("us-ca.proxymesh.com") } }

    val before = counts()
    val clients = List(1000) { client(baseUrl) to blocking(baseUrl) }
    println("clients ${clients.size} $before ${counts()}")

    // This loads the classes that a failure needs.
    blocking("http://127.0.0.1:1").use { runCatching { it.ips.list() } }
    runBlocking {}

    // One thread drives the calls of all suspending clients. The first call that has enough descriptors starts it.
    for (left in 0..40) client(baseUrl).use { client -> report("first", left) { withDescriptors(left) { runBlocking { client.ips.list() } } } }
    for (left in 0..40) {
        client(baseUrl).use { client ->
            report("suspending", left) { withDescriptors(left) { runBlocking { client.ips.list() } } }
            runBlocking { client.ips.list() }
        }
        blocking(baseUrl).use { client ->
            report("blocking", left) { withDescriptors(left) { client.ips.list() } }
            client.ips.list()
        }
    }
    println("all worked again")
    exitProcess(0)
}

private fun client(baseUrl: String) = Client(USERNAME, PASSWORD, baseUrl = baseUrl, maxRetries = 0)

private fun blocking(baseUrl: String) = BlockingClient(USERNAME, PASSWORD, baseUrl = baseUrl, maxRetries = 0)

private fun report(what: String, left: Int, act: () -> Unit) {
    val end = try {
        act()
        "fine"
    } catch (error: ProxyMeshException) {
        error.toString()
    }
    println("$what $left $end")
}

/** Loads all classes in the folders of the given ones. Loading a class from a folder takes a descriptor. From an open jar, it does not. */
private fun loadClasses(vararg names: String) {
    val loader = ClassLoader.getSystemClassLoader()
    for (name in names) {
        val folder = File(Class.forName(name, false, loader).protectionDomain.codeSource.location.toURI())
        folder.walk().filter { folder.isDirectory && it.extension == "class" }.forEach {
            Class.forName(it.relativeTo(folder).path.removeSuffix(".class").replace('/', '.'), false, loader)
        }
    }
    ConfigException("", "")
}

private fun withDescriptors(left: Int, act: () -> Unit) {
    val held = ArrayDeque<Closeable>()
    try {
        while (true) held += FileInputStream("/dev/null")
    } catch (_: IOException) {
        repeat(left) { held.removeLast().close() }
    }
    try {
        act()
    } finally {
        held.forEach(Closeable::close)
    }
}

private fun counts() = listOf("fd", "task").joinToString("/") { File("/proc/self/$it").list()!!.size.toString() }
