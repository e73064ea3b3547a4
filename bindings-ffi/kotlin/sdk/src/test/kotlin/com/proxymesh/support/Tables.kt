package com.proxymesh.support

import java.io.File
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long

/** The rows of a table in `tests/tables`; see `tests/README.md`. */
fun rows(table: String): List<JsonObject> =
    Json.parseToJsonElement(File(System.getProperty("proxymesh.tables"), "$table.json").readText())
        .jsonArray.map { it.jsonObject }

fun JsonObject.text(name: String): String = getValue(name).jsonPrimitive.content

fun JsonObject.maybeText(name: String): String? = get(name)?.jsonPrimitive?.content

/** A row's call and its arguments. */
fun JsonObject.arguments() = Arguments(text("call"), get("args")?.jsonObject ?: JsonObject(emptyMap()))

/** A row as it may stand in a message: not 100,000 characters of it. */
fun JsonObject.short() = toString().take(300)

/** `{"repeat": ["x", 3]}` is `"xxx"`; `{"join": […]}` is its parts one after another; a text is itself. */
fun written(form: JsonElement): String {
    if (form is JsonPrimitive) return form.content
    val (name, parts) = form.jsonObject.entries.single()
    parts as JsonArray
    return when (name) {
        "repeat" -> parts[0].jsonPrimitive.content.repeat(parts[1].jsonPrimitive.int).also { check(parts.size == 2) }
        "join" -> parts.joinToString("", transform = ::written)
        else -> error("there is no value form $name")
    }
}

/** The arguments of a call. Those that nobody asked for are ones that the call does not know. */
class Arguments(val call: String, private val given: JsonObject) {
    private val asked = mutableSetOf<String>()

    fun maybe(name: String): String? = given[name.also(asked::add)]?.let(::written)

    fun text(name: String): String = maybe(name) ?: error("$call needs $name")

    fun maybeWhole(name: String): Long? = given[name.also(asked::add)]?.jsonPrimitive?.long

    fun whole(name: String): Long = maybeWhole(name) ?: error("$call needs $name")

    fun checkAllAsked() = check(asked.containsAll(given.keys)) { "$call does not know ${given.keys - asked}" }
}
