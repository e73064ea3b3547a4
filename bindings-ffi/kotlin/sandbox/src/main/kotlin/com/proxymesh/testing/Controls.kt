package com.proxymesh.testing

import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject

/** The controls of a sandbox, under `/_sandbox/`. */
internal class Controls(private val baseUrl: String) {
    fun get(name: String): JsonElement = send(name) { GET() }

    fun delete(name: String): JsonElement = send(name) { DELETE() }

    fun post(name: String, body: JsonObject?): JsonElement =
        send(name) { POST(if (body == null) BodyPublishers.noBody() else BodyPublishers.ofString("$body")) }

    private fun send(name: String, method: HttpRequest.Builder.() -> HttpRequest.Builder): JsonElement {
        val request = HttpRequest.newBuilder(URI("$baseUrl/_sandbox/$name")).method().build()
        val response = http.send(request, BodyHandlers.ofString())
        require(response.statusCode() == OK) { response.body() }
        return Json.parseToJsonElement(response.body())
    }

    private companion object {
        const val OK = 200

        /** It goes directly to this machine, whatever the JVM's proxy settings are. */
        val http: HttpClient = HttpClient.newBuilder().proxy(HttpClient.Builder.NO_PROXY).version(HttpClient.Version.HTTP_1_1).build()
    }
}
