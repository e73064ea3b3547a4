package com.proxymesh

import com.proxymesh.internal.Call
import com.proxymesh.internal.Failure
import com.proxymesh.internal.Native
import com.proxymesh.internal.Options
import com.proxymesh.internal.Settings
import com.proxymesh.internal.newBlockingClient
import com.proxymesh.internal.newClient
import com.proxymesh.internal.shutDown
import com.proxymesh.internal.usingOwn
import com.proxymesh.internal.withOptions
import java.nio.charset.CharacterCodingException
import java.time.Duration
import java.util.concurrent.CancellationException
import java.util.concurrent.CompletableFuture
import kotlin.coroutines.ContinuationInterceptor
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import com.proxymesh.internal.baseUrl as baseUrlOf

/** The version of this package. */
internal const val VERSION = "0.1.0"

/** A client or an object of the native library, and the calls of it that do not wait for the network. */
internal open class Local(protected val client: Native) {
    fun baseUrl(): String = client.invoke(baseUrlOf()).orEmpty()

    fun close() = client.invoke(shutDown())

    fun using(proxy: ProxyServer): ProxyServer = now(usingOwn(proxy.toFfi())) { it.fromFfi() }

    fun <T> now(call: Call<T>): T = now(call) { it }

    fun <T, R> now(call: Call<T>, convert: (T) -> R): R = translated { convert(client.invoke(call)) }
}

/**
 * How a [Client] makes its calls.
 *
 * It keeps the internal classes out of the public ones. Users compile without the internal classes, so a public class must not
 * name one, even in a private signature.
 */
internal class Calls(client: Native) : Local(client) {
    suspend fun <T> make(call: Call<T>): T = make(call) { it }

    suspend fun <T, R> make(call: Call<T>, convert: (T) -> R): R {
        val context = currentCoroutineContext()
        // A coroutine that is already cancelled sends nothing.
        context.ensureActive()
        // Responses arrive on a thread of the native library. Without a dispatcher, as in `suspend fun main`, the code after the call
        // would run on that thread and delay other calls.
        val dispatcher = context[ContinuationInterceptor] as? CoroutineDispatcher
        return if (dispatcher?.isDispatchNeeded(context) == true) {
            translated { convert(client.await(call)) }
        } else {
            withContext(Dispatchers.Default) { translated { convert(client.await(call)) } }
        }
    }

    fun with(options: Options): Calls = translated { Calls(client.create(withOptions(options))) }

    /** Creates an object that makes its calls with this client. */
    fun create(call: Call<Long>): Calls = translated { Calls(client.create(call)) }

    companion object {
        fun open(settings: Settings): Calls = translated { Calls(Native.functions.create(newClient(settings))) }
    }
}

/** How a [BlockingClient] makes its calls; see [Calls]. */
internal class BlockingCalls(client: Native) : Local(client) {
    fun <T> make(call: Call<T>): T = make(call) { it }

    fun <T, R> make(call: Call<T>, convert: (T) -> R): R = translated {
        val thread = Thread.currentThread()
        if (thread.isInterrupted) throw interrupted()
        convert(if (isVirtual(thread)) park(call) else client.invoke(call))
    }

    /** Makes a call on a virtual thread, which leaves its carrier thread while it waits. A native method would not let it. */
    private fun <T> park(call: Call<T>): T {
        val answer = CompletableFuture<ByteArray?>()
        val task = client.start(call, answer::complete)
        try {
            return call.result(answer.get())
        } catch (_: InterruptedException) {
            client.cancel(task)
            Thread.currentThread().interrupt()
            throw interrupted()
        }
    }

    fun with(options: Options): BlockingCalls = translated { BlockingCalls(client.create(withOptions(options))) }

    /** Creates an object that makes its calls with this client. */
    fun create(call: Call<Long>): BlockingCalls = translated { BlockingCalls(client.create(call)) }

    /** Makes a call that an interrupt does not end. The thread stays interrupted. */
    fun finish(call: Call<Unit>): Unit = translated {
        if (isVirtual(Thread.currentThread())) {
            val answer = CompletableFuture<ByteArray?>()
            client.start(call, answer::complete)
            call.result(answer.join())
        } else {
            client.invoke(call)
        }
    }

    companion object {
        fun open(settings: Settings): BlockingCalls =
            translated { BlockingCalls(Native.functions.create(newBlockingClient(settings))) }
    }
}

/** Runs a function that belongs to no client. */
internal fun <T, R> run(call: Call<T>, convert: (T) -> R): R = translated { convert(Native.functions.invoke(call)) }

/** The calls that belong to no client. */
internal object Unbound {
    val suspending by lazy { translated { Calls(Native.functions) } }
    val blocking by lazy { translated { BlockingCalls(Native.functions) } }
    val async by lazy { translated { AsyncCalls(Native.functions, null) } }
}

/** Loads the native library and runs [block]. Replaces internal exceptions with public ones, which do not have them as causes. */
internal inline fun <T> translated(block: () -> T): T {
    NativeLibrary.load()
    return try {
        block()
    } catch (failure: Failure) {
        throw if (failure is Failure.Aborted) interrupted() else failure.fromFfi()
    } catch (_: CharacterCodingException) {
        throw ValidationException("text", "contains a lone surrogate, which is not a valid character")
    }
}

/** What an interrupted call throws. The thread stays interrupted. */
internal fun interrupted(): CancellationException =
    CancellationException("the thread was interrupted during the call").apply { initCause(InterruptedException()) }

internal fun Duration.inSeconds(): Double = seconds + nano / NANOSECONDS

internal fun duration(seconds: Double): Duration {
    val whole = seconds.toLong()
    return Duration.ofSeconds(whole, ((seconds - whole) * NANOSECONDS).toLong())
}

private const val NANOSECONDS = 1e9
