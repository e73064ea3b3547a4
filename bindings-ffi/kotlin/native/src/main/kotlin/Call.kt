package com.proxymesh.internal

import java.nio.charset.CharacterCodingException
import java.nio.charset.MalformedInputException
import java.time.Instant

/** A call of the library: its number, its arguments, and how to read its result. `Interface.kt` has a function for each. */
public class Call<out T> internal constructor(
    internal val number: Int,
    private val write: Writer.() -> Unit,
    private val read: Reader.() -> T,
) {
    /**
     * The arguments as bytes.
     *
     * @throws CharacterCodingException an argument has a lone surrogate.
     */
    internal fun arguments(): ByteArray = Writer().apply(write).bytes()

    /**
     * Reads the result from an answer. The answer is null if the JVM had no memory for it.
     *
     * @throws Failure the call failed.
     */
    public fun result(answer: ByteArray?): T {
        val reader = Reader(answer ?: throw OutOfMemoryError("the response does not fit into memory"))
        if (reader.boolean()) throw reader.failure()
        return reader.read()
    }
}

/** Reads a record for the log. */
public fun recordOf(bytes: ByteArray): LogRecord = Reader(bytes).logRecord()

/** Writes values in UniFFI's format. */
internal class Writer {
    private var buffer = ByteArray(FIRST_SIZE)
    private var size = 0

    fun bytes(): ByteArray = buffer.copyOf(size)

    fun boolean(value: Boolean) = byte(if (value) 1 else 0)

    fun int(value: Int) {
        reserve(Int.SIZE_BYTES)
        for (shift in 24 downTo 0 step 8) buffer[size++] = (value shr shift).toByte()
    }

    fun long(value: Long) {
        int((value shr Int.SIZE_BITS).toInt())
        int(value.toInt())
    }

    fun double(value: Double) = long(value.toRawBits())

    fun string(value: String) {
        if (hasLoneSurrogate(value)) throw MalformedInputException(1)
        val bytes = value.toByteArray()
        int(bytes.size)
        reserve(bytes.size)
        bytes.copyInto(buffer, size)
        size += bytes.size
    }

    inline fun <T : Any> optional(value: T?, write: (T) -> Unit) {
        boolean(value != null)
        if (value != null) write(value)
    }

    inline fun <T> list(values: List<T>, write: (T) -> Unit) {
        int(values.size)
        for (value in values) write(value)
    }

    private fun byte(value: Int) {
        reserve(1)
        buffer[size++] = value.toByte()
    }

    private fun reserve(more: Int) {
        if (size + more > buffer.size) buffer = buffer.copyOf(maxOf(2 * buffer.size, size + more))
    }

    /** UTF-8 cannot represent such a text. Java would replace the surrogate with a question mark. */
    private fun hasLoneSurrogate(text: String): Boolean {
        var index = 0
        while (index < text.length) {
            if (text[index].isSurrogate()) {
                val pair = text[index].isHighSurrogate() && index + 1 < text.length && text[index + 1].isLowSurrogate()
                if (!pair) return true
                index++
            }
            index++
        }
        return false
    }

    private companion object {
        const val FIRST_SIZE = 64
    }
}

/** Reads values in UniFFI's format. */
internal class Reader(private val bytes: ByteArray) {
    private var at = 0

    fun boolean(): Boolean = bytes[at++] != 0.toByte()

    fun int(): Int {
        var value = 0
        repeat(Int.SIZE_BYTES) { value = (value shl Byte.SIZE_BITS) or (bytes[at++].toInt() and BYTE) }
        return value
    }

    fun long(): Long = (int().toLong() shl Int.SIZE_BITS) or (int().toLong() and INT)

    fun double(): Double = Double.fromBits(long())

    fun string(): String {
        val length = int()
        return String(bytes, at, length, Charsets.UTF_8).also { at += length }
    }

    /** A time before 1970 has negative seconds, and its nanoseconds also count backwards. Within a second before 1970, the format has no sign. */
    fun instant(): Instant {
        val seconds = long()
        val nanos = int().toLong()
        return Instant.ofEpochSecond(seconds, if (seconds < 0) -nanos else nanos)
    }

    inline fun <T> optional(read: () -> T): T? = if (boolean()) read() else null

    inline fun <T> list(read: () -> T): List<T> = List(int()) { read() }

    inline fun <K, V> map(key: () -> K, value: () -> V): Map<K, V> = buildMap { repeat(int()) { put(key(), value()) } }

    private companion object {
        const val BYTE = 0xff
        const val INT = 0xffff_ffffL
    }
}
