package com.proxymesh

import java.nio.charset.CharacterCodingException
import java.time.Duration
import kotlin.coroutines.ContinuationInterceptor
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import com.proxymesh.internal.BlockingClient as FfiBlockingClient
import com.proxymesh.internal.Client as FfiClient
import com.proxymesh.internal.Failure
import com.proxymesh.internal.InternalException as Broken
import com.proxymesh.internal.Options
import com.proxymesh.internal.Settings

/** The version of this package. */
internal const val VERSION = "0.1.0"

/**
 * How a [Client] makes its calls.
 *
 * It keeps the generated classes out of the public ones. Users compile without the generated classes, so a public class must not
 * name one, even in a private signature.
 */
internal class Calls(private val client: FfiClient) {
    val baseUrl: String = client.baseUrl().orEmpty()

    suspend fun <T> make(call: suspend FfiClient.() -> T): T {
        val context = currentCoroutineContext()
        // A coroutine that is already cancelled sends nothing.
        context.ensureActive()
        // Responses arrive on a thread of the native library. Without a dispatcher, as in `suspend fun main`, the code after the call
        // would run on that thread and delay other calls.
        val dispatcher = context[ContinuationInterceptor] as? CoroutineDispatcher
        return if (dispatcher?.isDispatchNeeded(context) == true) {
            translated { client.call() }
        } else {
            withContext(Dispatchers.Default) { translated { client.call() } }
        }
    }

    fun with(options: Options): Calls = translated { Calls(client.withOptions(options)) }

    fun close() = client.shutDown()

    companion object {
        fun open(settings: Settings): Calls = translated { Calls(FfiClient(settings)) }
    }
}

/** How a [BlockingClient] makes its calls; see [Calls]. */
internal class BlockingCalls(private val client: FfiBlockingClient) {
    val baseUrl: String = client.baseUrl().orEmpty()

    fun <T> make(call: FfiBlockingClient.() -> T): T = translated { client.call() }

    fun with(options: Options): BlockingCalls = translated { BlockingCalls(client.withOptions(options)) }

    fun close() = client.shutDown()

    companion object {
        fun open(settings: Settings): BlockingCalls = translated { BlockingCalls(FfiBlockingClient(settings)) }
    }
}

/** Loads the native library and runs [block]. Replaces generated exceptions with public ones, which do not have them as causes. */
internal inline fun <T> translated(block: () -> T): T {
    NativeLibrary.load()
    return try {
        block()
    } catch (failure: Failure) {
        throw failure.fromFfi()
    } catch (broken: Broken) {
        throw InternalException("internal error in the ProxyMesh library, please report it: ${broken.message}")
    } catch (_: CharacterCodingException) {
        throw ValidationException("text", "contains a lone surrogate, which is not a valid character")
    }
}

internal fun Duration.inSeconds(): Double = seconds + nano / NANOSECONDS

internal fun duration(seconds: Double): Duration {
    val whole = seconds.toLong()
    return Duration.ofSeconds(whole, ((seconds - whole) * NANOSECONDS).toLong())
}

private const val NANOSECONDS = 1e9
