package com.proxymesh

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility
import com.fasterxml.jackson.annotation.PropertyAccessor
import com.fasterxml.jackson.databind.ObjectMapper
import com.fasterxml.jackson.databind.SerializationFeature
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule
import com.fasterxml.jackson.module.kotlin.kotlinModule
import com.google.gson.GsonBuilder
import com.google.gson.TypeAdapter
import com.google.gson.stream.JsonReader
import com.google.gson.stream.JsonWriter
import com.proxymesh.support.PASSWORD
import com.proxymesh.support.TOKEN
import java.io.ByteArrayOutputStream
import java.io.NotSerializableException
import java.io.ObjectOutputStream
import java.time.Instant
import kotlinx.serialization.SerializationException
import kotlinx.serialization.serializer
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** A program that writes an object as JSON, for example into its log, does not write a secret. */
class SerializersTest {
    private val holders = listOf(
        NewToken(Token(7, "ci", true, null, Instant.EPOCH), TOKEN) to "ci",
        ProxyServer("us-ca.proxymesh.com").using("me@ex.com", PASSWORD) to "us-ca",
        ProxyServer("us-ca.proxymesh.com").usingToken(TOKEN) to "us-ca",
        BlockingClient.builder().username("me@ex.com").password(PASSWORD).token(TOKEN) to "",
        AsyncClient.builder().username("me@ex.com").password(PASSWORD).token(TOKEN) to "",
        SubAccountFields().password(PASSWORD).email("z@ex.com") to "",
    )

    private fun assertSafe(json: String, part: String) {
        for (secret in listOf(PASSWORD, TOKEN)) assertFalse(secret in json, json)
        assertTrue(part in json, json)
    }

    @Test
    fun `Jackson writes no secret, by getters or by fields, with and without its module for Kotlin`() {
        for (isForKotlin in listOf(false, true)) for (accessor in listOf(PropertyAccessor.GETTER, PropertyAccessor.FIELD)) {
            val mapper = ObjectMapper().registerModule(JavaTimeModule()).disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
                .setVisibility(accessor, Visibility.ANY)
            if (isForKotlin) mapper.registerModule(kotlinModule())
            for ((holder, part) in holders) assertSafe(mapper.writeValueAsString(holder), part)
        }
    }

    @Test
    fun `Gson writes no secret`() {
        val gson = GsonBuilder().registerTypeAdapter(Instant::class.java, Instants()).create()
        for ((holder, part) in holders) assertSafe(gson.toJson(holder), part)
    }

    @Test
    fun `Java and kotlinx serialize no object that has a secret`() {
        for ((holder, _) in holders) {
            assertThrows(NotSerializableException::class.java) { ObjectOutputStream(ByteArrayOutputStream()).writeObject(holder) }
            assertThrows(SerializationException::class.java) { serializer(holder.javaClass) }
        }
    }

    /** Gson may not read the fields of an `Instant`. */
    private class Instants : TypeAdapter<Instant>() {
        override fun write(out: JsonWriter, value: Instant?) {
            out.value(value.toString())
        }

        override fun read(reader: JsonReader): Instant = Instant.parse(reader.nextString())
    }
}
