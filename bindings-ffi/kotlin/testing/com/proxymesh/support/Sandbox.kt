package com.proxymesh.support

import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** The emulated service in a separate process. */
class Sandbox(vararg flags: String, password: String = PASSWORD) : AutoCloseable {
    private val process = ProcessBuilder(System.getProperty("proxymesh.sandbox"), "--port", "${Ports.free()}", "--username", USERNAME, *flags)
        .apply { environment()["PROXYMESH_SANDBOX_PASSWORD"] = password }
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()

    val baseUrl: String = process.inputReader().readLine().removePrefix("listening on ")

    /** The API calls that arrived. */
    fun requests(): List<JsonObject> = control("requests").jsonArray.map { it.jsonObject }

    /** The requests that the proxies received since the last call. */
    fun proxied(): List<JsonObject> = control("proxied").jsonArray.map { it.jsonObject }.also { control("proxied", method = "DELETE") }

    /** Makes the next matching calls fail. */
    fun fault(json: String) {
        control("faults", json)
    }

    fun control(name: String, json: String? = null, method: String = if (json == null) "GET" else "POST"): JsonElement {
        val body = json?.let(HttpRequest.BodyPublishers::ofString) ?: HttpRequest.BodyPublishers.noBody()
        val request = HttpRequest.newBuilder(URI("$baseUrl/_sandbox/$name")).method(method, body)
        val response = http.send(request.build(), HttpResponse.BodyHandlers.ofString())
        check(response.statusCode() == 200) { response.body() }
        return Json.parseToJsonElement(response.body())
    }

    override fun close() {
        process.destroy()
        process.waitFor()
    }

    private companion object {
        val http: HttpClient = HttpClient.newHttpClient()
    }
}

fun JsonObject.text(name: String): String = getValue(name).jsonPrimitive.content
