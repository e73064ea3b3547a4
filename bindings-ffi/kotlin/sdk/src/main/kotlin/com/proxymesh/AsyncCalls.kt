package com.proxymesh

import com.proxymesh.internal.Call
import com.proxymesh.internal.Native
import com.proxymesh.internal.Options
import com.proxymesh.internal.newClient
import com.proxymesh.internal.withOptions
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executor
import java.util.concurrent.ForkJoinPool
import java.util.concurrent.SynchronousQueue
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger

/** How an [AsyncClient] makes its calls; see [Calls]. */
internal class AsyncCalls(client: Native, executor: Executor?, canWarn: Boolean = false) : Local(client, canWarn) {
    private val executor = executor ?: threads

    fun <T> make(call: Call<T>): CompletableFuture<T> = make(call) { it }

    fun <T, R> make(call: Call<T>, convert: (T) -> R): CompletableFuture<R> {
        val response = Response(call, convert, executor, canWarn)
        try {
            translated { response.start(client) }
        } catch (error: ProxyMeshException) {
            response.completeExceptionally(error)
        }
        return response
    }

    fun with(options: Options): AsyncCalls = translated { AsyncCalls(client.create(withOptions(options)), executor) }

    /** Creates an object that makes its calls with this client. */
    fun create(call: Call<Long>): AsyncCalls = translated { AsyncCalls(client.create(call), executor, canWarn = true) }

    companion object {
        fun open(username: String?, password: String?): AsyncCalls =
            open(ChosenSettings().also { it.username = username; it.password = password }, null)

        fun open(settings: ChosenSettings, executor: Executor?): AsyncCalls =
            translated { AsyncCalls(Native.functions.create(newClient(settings.checked())), executor) }
    }
}

private val threads = ThreadPoolExecutor(0, Int.MAX_VALUE, 5, TimeUnit.SECONDS, SynchronousQueue()) { work ->
    Thread(work, "proxymesh-future").apply { isDaemon = true }
}

/** Does work on a thread of the SDK, because it may block. Returns false, and drops the work, if no thread can be created. */
internal fun inBackground(work: () -> Unit): Boolean =
    try {
        threads.execute(work)
        true
    } catch (_: Throwable) {
        // Nobody is left to tell.
        false
    }

/**
 * The future of a call. Completing it runs what depends on it. That must not delay other calls, so it happens on a thread of the
 * executor, or on one of the common pool if the executor rejects it. A thread that waits in [join] or [get] completes it itself, because
 * that takes one thread switch less.
 */
private class Response<T, R>(
    private val call: Call<T>,
    private val convert: (T) -> R,
    private val executor: Executor,
    canWarn: Boolean,
) : CompletableFuture<R>() {
    private val log = Log.inBackground(canWarn)
    private val answer = CompletableFuture<ByteArray?>()
    private val isTaken = AtomicBoolean()
    private val waiting = AtomicInteger()

    fun start(client: Native) {
        val task = client.start(call, log, ::arrive)
        whenComplete { _, _ ->
            // It may have been completed in another way, such as by `cancel`. Then nobody needs the answer.
            if (!isTaken.get()) client.cancel(task)
            answer.complete(null)
        }
    }

    private fun arrive(bytes: ByteArray?) {
        answer.complete(bytes)
        if (waiting.get() == 0) handOver()
    }

    override fun join(): R {
        if (!isDone) await { answer.join() }
        return super.join()
    }

    override fun get(): R {
        if (!isDone) await { answer.get() }
        return super.get()
    }

    override fun get(timeout: Long, unit: TimeUnit): R {
        if (!isDone) await { answer.get(timeout, unit) }
        return super.get(timeout, unit)
    }

    private inline fun await(wait: () -> Unit) {
        waiting.incrementAndGet()
        try {
            wait()
            take()
        } finally {
            // If this thread was interrupted or its time is over, the answer may have come just now.
            if (waiting.decrementAndGet() == 0 && answer.isDone) handOver()
        }
    }

    private fun handOver() {
        if (isTaken.get() || isDone) return
        try {
            executor.execute(::take)
        } catch (_: Throwable) {
            // The executor rejects it, or there are no more threads. The future must be completed even so.
            try {
                ForkJoinPool.commonPool().execute(::take)
            } catch (_: Throwable) {
                take()
            }
        }
    }

    private fun take() {
        if (isDone || !isTaken.compareAndSet(false, true)) return
        log?.write()
        try {
            complete(translated { convert(call.result(answer.join())) })
        } catch (error: Throwable) {
            completeExceptionally(error)
        }
    }
}

/** A future that has failed. Android has `CompletableFuture.failedFuture` only since API level 31. */
internal fun <T> failed(error: Throwable): CompletableFuture<T> = CompletableFuture<T>().apply { completeExceptionally(error) }
