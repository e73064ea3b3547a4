package com.proxymesh.support

import com.proxymesh.ProxyMeshException
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.Callable
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long

/** The agent of the conformance cases for Kotlin: `suspend|blocking|future`. `tests/conformance/README.md` describes the protocol. */
fun main(arguments: Array<String>) {
    val agent = Agent(mapOf("suspend" to Kind.SUSPENDING, "blocking" to Kind.BLOCKING, "future" to Kind.FUTURE).getValue(arguments.single()))
    for (line in generateSequence(::readlnOrNull)) {
        val answer = try {
            agent.answer(Json.parseToJsonElement(line).jsonObject)
        } catch (unknown: IllegalStateException) {
            mapOf("unknown" to JsonPrimitive(unknown.message))
        }
        println(JsonObject(answer))
    }
}

private class Agent(private val kind: Kind) {
    private val accounts = mutableMapOf<String, Account>()
    private val objects = Objects(kind)

    fun answer(question: JsonObject): Map<String, JsonElement> {
        when {
            "open" in question -> try {
                accounts[question.text("open")] = open(question.getValue("settings").jsonObject)
            } catch (error: ProxyMeshException) {
                return mapOf("error" to told(error))
            }
            "reset" in question -> {
                objects.clear()
                accounts.values.forEach(Account::close)
                accounts.clear()
            }
            "call" in question -> return mapOf("results" to JsonArray(results(question).map(::JsonObject)))
            else -> error("$question")
        }
        return emptyMap()
    }

    private fun open(settings: JsonObject): Account {
        var options = Options(username = null, password = null)
        var baseUrl: String? = null
        for ((name, value) in settings) {
            val given = value.jsonPrimitive
            when (name) {
                "base_url" -> baseUrl = given.content
                "username" -> options = options.copy(username = given.content)
                "password" -> options = options.copy(password = given.content)
                "token" -> options = options.copy(token = given.content)
                "timeout" -> options = options.copy(timeout = seconds(given))
                "connect_timeout" -> options = options.copy(connectTimeout = seconds(given))
                "max_retries" -> options = options.copy(maxRetries = given.int)
                "max_connections" -> options = options.copy(maxConnections = given.int)
                "ca_file" -> options = options.copy(caFile = Path.of(given.content))
                "share_state" -> options = options.copy(shareState = given.boolean)
                "trust_env" -> options = options.copy(trustEnv = given.boolean)
                else -> error("there is no setting $name")
            }
        }
        return kind.open(checkNotNull(baseUrl), options)
    }

    /** Makes the call, as many times at once as requested. */
    private fun results(question: JsonObject): List<Map<String, JsonElement>> {
        val times = question["at_once"]?.jsonPrimitive?.int ?: 1
        val account = try {
            with(accounts.getValue(question.text("client")), question["options"]?.jsonObject)
        } catch (error: ProxyMeshException) {
            return listOf(mapOf("error" to told(error)))
        }
        val name = question["object"]?.jsonPrimitive?.content ?: "main"
        suspend fun one() = try {
            val arguments = question.arguments()
            val value = if (objects.has(arguments.call)) json(objects.call(account, name, arguments)) else account.call(arguments)
            mapOf("value" to value)
        } catch (error: ProxyMeshException) {
            mapOf("error" to told(error))
        }
        return when (kind) {
            Kind.SUSPENDING, Kind.FUTURE -> runBlocking(Dispatchers.Default) { List(times) { async { one() } }.awaitAll() }
            Kind.BLOCKING -> {
                val threads = Executors.newFixedThreadPool(times)
                // Starting many threads takes a while, so each waits until all have started.
                val started = CountDownLatch(times)
                try {
                    threads.invokeAll(List(times) { Callable { runBlocking { started.countDown(); started.await(); one() } } }).map { it.get() }
                } finally {
                    threads.shutdown()
                }
            }
        }
    }

    private fun with(account: Account, options: JsonObject?): Account {
        if (options == null) return account
        check(setOf("timeout", "max_retries").containsAll(options.keys)) { "there is no such option: ${options.keys}" }
        return account.with(options["timeout"]?.jsonPrimitive?.let(::seconds), options["max_retries"]?.jsonPrimitive?.int)
    }
}

/** Everything that the exception contains, as JSON. */
private fun told(error: ProxyMeshException): JsonObject {
    fun json(value: Any?): JsonElement = when (value) {
        null -> JsonNull
        is String -> JsonPrimitive(value)
        is Number -> JsonPrimitive(value)
        is Duration -> JsonPrimitive(value.toNanos() / 1e9)
        is List<*> -> JsonArray(value.map(::json))
        is Map<*, *> -> JsonObject(value.entries.associate { (key, inner) -> key as String to json(inner) })
        else -> error("no exception has a ${value.javaClass}")
    }
    val fields = error.fields().mapKeys { (name, _) -> name.replace(Regex("[A-Z]")) { "_" + it.value.lowercase() } }
    return JsonObject((fields + mapOf("kind" to error.kind(), "text" to error.message, "call" to error.call)).mapValues { json(it.value) })
}
