package com.proxymesh.support

import java.time.Duration
import java.time.LocalDate
import java.time.format.DateTimeParseException
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long

/** The requested call and its arguments. */
fun JsonObject.arguments() = Arguments(text("call"), get("args")?.jsonObject ?: JsonObject(emptyMap()))

/** The arguments of a call. An argument that was never read is one that the call does not have. */
class Arguments(val call: String, private val given: JsonObject) {
    private val asked = mutableSetOf<String>()

    fun maybeText(name: String): String? = given[name.also(asked::add)]?.jsonPrimitive?.content

    fun text(name: String): String = maybeText(name) ?: error("$call needs $name")

    fun maybeWhole(name: String): Long? = given[name.also(asked::add)]?.jsonPrimitive?.long

    fun whole(name: String): Long = maybeWhole(name) ?: error("$call needs $name")

    fun maybeTexts(name: String): List<String>? = given[name.also(asked::add)]?.jsonArray?.map { it.jsonPrimitive.content }

    fun maybeBoolean(name: String): Boolean? = given[name.also(asked::add)]?.jsonPrimitive?.boolean

    fun maybeSeconds(name: String): Duration? = given[name.also(asked::add)]?.jsonPrimitive?.let(::seconds)

    /** Whether the argument is a date or missing. */
    fun isDate(name: String): Boolean = try {
        maybeDate(name)?.toString() == maybeText(name)
    } catch (_: DateTimeParseException) {
        false
    }

    fun maybeDate(name: String): LocalDate? = maybeText(name)?.let(LocalDate::parse)

    fun checkAllAsked() = check(asked.containsAll(given.keys)) { "$call does not know ${given.keys - asked}" }
}

/** A number of seconds. */
fun seconds(value: JsonPrimitive): Duration {
    val nanos = (value.double * 1e9).toBigDecimal().toBigInteger()
    val (seconds, rest) = nanos.divideAndRemainder(1_000_000_000.toBigInteger())
    return Duration.ofSeconds(seconds.toLong(), rest.toLong())
}
