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

/** The emulated service in a separate process. */
class Sandbox(vararg flags: String) : AutoCloseable {
    private val process = ProcessBuilder(System.getProperty("proxymesh.sandbox"), "--port", "${Ports.free()}", "--username", USERNAME, *flags)
        .apply { environment()["PROXYMESH_SANDBOX_PASSWORD"] = PASSWORD }
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()

    val baseUrl: String = process.inputReader().readLine().removePrefix("listening on ")

    /** The API calls that arrived. */
    fun requests(): List<JsonObject> = when (val found = control("requests")) {
        is JsonObject -> found.getValue("requests").jsonArray
        else -> found.jsonArray
    }.map { it.jsonObject }

    /** Makes the next matching calls fail. */
    fun fault(json: String) {
        control("faults", json)
    }

    fun control(name: String, json: String? = null): JsonElement {
        val request = HttpRequest.newBuilder(URI("$baseUrl/_sandbox/$name"))
        if (json != null) request.POST(HttpRequest.BodyPublishers.ofString(json))
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
