package com.proxymesh.internal

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.util.concurrent.ConcurrentHashMap
import java.util.function.Consumer
import kotlin.coroutines.resume
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * A client of the library. Load the library before you use it.
 *
 * The native methods are not static, so that the object cannot be garbage-collected during a call. That way, the library does not
 * forget a client that is in use.
 */
public class Native private constructor(private val handle: Long) {
    /**
     * Makes a call on this thread. An interrupt ends it with [Failure.Aborted].
     *
     * @param log gets the records of the call; [recordOf] reads them. A thread of the library may pass them, so it must return soon. Now and
     *   then it gets null, on this thread. Then it may take its time.
     */
    public fun <T> invoke(call: Call<T>, log: Consumer<ByteArray?>? = null): T {
        releaseUnused()
        return call.result(invoke(handle, call.number, call.arguments(), log))
    }

    /** Makes a call that creates a client. The library forgets the client some time after it has been garbage-collected. */
    public fun create(call: Call<Long>): Native {
        val handle = invoke(call)
        return Native(handle).also { used += Client(it, handle) }
    }

    /**
     * Starts a call. A thread of the library passes the answer to [done] and the records to [log]. Both must return soon. Returns a
     * number for [cancel].
     */
    public fun start(call: Call<*>, log: Consumer<ByteArray?>?, done: Consumer<ByteArray?>): Long {
        releaseUnused()
        return start(handle, call.number, call.arguments(), log, done)
    }

    /** Ends a call that was started, and closes its connection. If the call has ended, this has no effect. */
    public external fun cancel(task: Long)

    /** Makes a call without blocking a thread, and returns its answer. If the coroutine is cancelled, so is the call. */
    public suspend fun await(call: Call<*>, log: Consumer<ByteArray?>?): ByteArray? =
        suspendCancellableCoroutine { continuation ->
            val task = start(call, log) { answer -> continuation.resume(answer) }
            continuation.invokeOnCancellation { cancel(task) }
        }

    private external fun version(): ByteArray

    private external fun invoke(handle: Long, number: Int, arguments: ByteArray, log: Consumer<ByteArray?>?): ByteArray?

    private external fun start(
        handle: Long,
        number: Int,
        arguments: ByteArray,
        log: Consumer<ByteArray?>?,
        done: Consumer<ByteArray?>,
    ): Long

    private external fun release(handle: Long)

    public companion object {
        /** Runs the functions that belong to no client. */
        public val functions: Native = Native(0)

        private val unused = ReferenceQueue<Native>()
        private val used = ConcurrentHashMap.newKeySet<Client>()

        internal fun libraryVersion(): String = String(functions.version())

        /** Releases the clients that have been garbage-collected. This needs no thread, so nothing outlives an application. */
        private fun releaseUnused() {
            while (true) {
                val client = unused.poll() as Client? ?: return
                used -= client
                functions.release(client.handle)
            }
        }
    }

    private class Client(native: Native, val handle: Long) : PhantomReference<Native>(native, unused)
}
