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
import java.util.concurrent.TimeUnit
import kotlin.coroutines.ContinuationInterceptor
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.Channel.Factory.CONFLATED
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import com.proxymesh.internal.baseUrl as baseUrlOf

/** The version of this package. */
internal const val VERSION = com.proxymesh.internal.VERSION

/**
 * A client or an object of the native library, with those of its calls that do not wait for the network.
 *
 * @property canWarn whether its calls can write a warning to the log, as those of a pool, a lease and a follower can.
 */
internal open class Local(protected val client: Native, protected val canWarn: Boolean) {
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
internal class Calls(client: Native, canWarn: Boolean = false) : Local(client, canWarn) {
    suspend fun <T> make(call: Call<T>): T = make(call) { it }

    suspend fun <T, R> make(call: Call<T>, convert: (T) -> R): R {
        val context = currentCoroutineContext()
        // A coroutine that is already cancelled sends nothing.
        context.ensureActive()
        // Responses arrive on a thread of the native library. Without a dispatcher, as in `suspend fun main`, the code after the call
        // would run on that thread and delay other calls.
        val dispatcher = context[ContinuationInterceptor] as? CoroutineDispatcher
        return if (dispatcher?.isDispatchNeeded(context) == true) {
            translated { convert(call.result(answer(call))) }
        } else {
            withContext(Dispatchers.Default) { translated { convert(call.result(answer(call))) } }
        }
    }

    /** Makes a call. A child of the coroutine writes its log, so that it has the same context. */
    private suspend fun answer(call: Call<*>): ByteArray? {
        if (!Log.isWanted(canWarn)) return client.await(call, null)
        return coroutineScope {
            val kept = Channel<Unit>(CONFLATED)
            val log = Log { kept.trySend(Unit) }
            val writer = launch(start = UNDISPATCHED) { for (signal in kept) log.write() }
            try {
                client.await(call, log)
            } finally {
                writer.cancel()
                log.end()
            }
        }
    }

    fun with(options: Options): Calls = translated { Calls(client.create(withOptions(options))) }

    /** Creates an object that makes its calls with this client. */
    fun create(call: Call<Long>): Calls = translated { Calls(client.create(call), canWarn = true) }

    companion object {
        fun open(settings: Settings): Calls = translated { Calls(Native.functions.create(newClient(settings))) }
    }
}

/** How a [BlockingClient] makes its calls; see [Calls]. */
internal class BlockingCalls(client: Native, canWarn: Boolean = false) : Local(client, canWarn) {
    fun <T> make(call: Call<T>): T = make(call) { it }

    fun <T, R> make(call: Call<T>, convert: (T) -> R): R = translated {
        val thread = Thread.currentThread()
        if (thread.isInterrupted) throw interrupted()
        val log = Log.ofThread(canWarn)
        try {
            convert(if (isVirtual(thread)) park(call, log) else client.invoke(call, log))
        } finally {
            log?.end()
        }
    }

    /** Makes a call on a virtual thread, which leaves its carrier thread while it waits. A native method would not let it. */
    private fun <T> park(call: Call<T>, log: Log?): T {
        val answer = CompletableFuture<ByteArray?>()
        val task = client.start(call, log, answer::complete)
        try {
            while (log != null && !answer.isDone) {
                try {
                    answer.get(LOOK, TimeUnit.MILLISECONDS)
                } catch (_: java.util.concurrent.TimeoutException) {
                    log.write()
                }
            }
            return call.result(answer.get())
        } catch (_: InterruptedException) {
            client.cancel(task)
            Thread.currentThread().interrupt()
            throw interrupted()
        }
    }

    fun with(options: Options): BlockingCalls = translated { BlockingCalls(client.create(withOptions(options))) }

    /** Creates an object that makes its calls with this client. */
    fun create(call: Call<Long>): BlockingCalls = translated { BlockingCalls(client.create(call), canWarn = true) }

    /** Makes a call that an interrupt does not end. The thread stays interrupted. */
    fun finish(call: Call<Unit>): Unit = translated {
        val log = Log.ofThread(canWarn)
        try {
            if (isVirtual(Thread.currentThread())) {
                val answer = CompletableFuture<ByteArray?>()
                client.start(call, log, answer::complete)
                call.result(answer.join())
            } else {
                client.invoke(call, log)
            }
        } finally {
            log?.end()
        }
    }

    companion object {
        /** How often a virtual thread writes its log during a call, in milliseconds. On other threads, the library sees to that. */
        private const val LOOK = 40L

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
