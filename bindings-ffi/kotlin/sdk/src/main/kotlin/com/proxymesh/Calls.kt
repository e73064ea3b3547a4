package com.proxymesh

import java.nio.charset.CharacterCodingException
import java.time.Duration
import kotlin.coroutines.ContinuationInterceptor
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import com.proxymesh.internal.BlockingClient as BlockingPlumbing
import com.proxymesh.internal.Client as Plumbing
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
internal class Calls(private val plumbing: Plumbing) {
    val baseUrl: String = plumbing.baseUrl().orEmpty()

    suspend fun <T> make(call: suspend Plumbing.() -> T): T {
        val context = currentCoroutineContext()
        // A coroutine that is already cancelled sends nothing.
        context.ensureActive()
        // Answers arrive on a thread of the native library. Without a dispatcher, as in `suspend fun main`, the code after the call
        // would run on that thread and hold up other calls.
        val dispatcher = context[ContinuationInterceptor] as? CoroutineDispatcher
        return if (dispatcher?.isDispatchNeeded(context) == true) {
            translated { plumbing.call() }
        } else {
            withContext(Dispatchers.Default) { translated { plumbing.call() } }
        }
    }

    fun with(options: Options): Calls = translated { Calls(plumbing.withOptions(options)) }

    fun close() = plumbing.shutDown()

    companion object {
        fun open(settings: Settings): Calls = translated { Calls(Plumbing(settings)) }
    }
}

/** How a [BlockingClient] makes its calls; see [Calls]. */
internal class BlockingCalls(private val plumbing: BlockingPlumbing) {
    val baseUrl: String = plumbing.baseUrl().orEmpty()

    fun <T> make(call: BlockingPlumbing.() -> T): T = translated { plumbing.call() }

    fun with(options: Options): BlockingCalls = translated { BlockingCalls(plumbing.withOptions(options)) }

    fun close() = plumbing.shutDown()

    companion object {
        fun open(settings: Settings): BlockingCalls = translated { BlockingCalls(BlockingPlumbing(settings)) }
    }
}

/** Loads the native library and runs [block]. Throws public exceptions in place of generated ones, and does not keep those as causes. */
internal inline fun <T> translated(block: () -> T): T {
    NativeLibrary.load()
    return try {
        block()
    } catch (failure: Failure) {
        throw failure.translated()
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
