package com.proxymesh

import com.proxymesh.internal.Call
import com.proxymesh.internal.Native
import com.proxymesh.internal.Options
import com.proxymesh.internal.baseUrl
import com.proxymesh.internal.newClient
import com.proxymesh.internal.shutDown
import com.proxymesh.internal.withOptions
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executor
import java.util.concurrent.SynchronousQueue
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit

/** How an [AsyncClient] makes its calls; see [Calls]. */
internal class AsyncCalls(private val client: Native, private val executor: Executor) {
    val baseUrl: String = client.invoke(baseUrl()).orEmpty()

    fun <T> make(call: Call<T>): CompletableFuture<T> = make(call) { it }

    fun <T, R> make(call: Call<T>, convert: (T) -> R): CompletableFuture<R> {
        val future = CompletableFuture<R>()
        var answered = false
        try {
            val task = translated {
                client.start(call) { answer ->
                    deliver {
                        answered = true
                        future.completeWith { convert(call.result(answer)) }
                    }
                }
            }
            // If the future is completed in another way, nobody waits for the response.
            future.whenComplete { _, _ -> if (!answered) client.cancel(task) }
        } catch (error: ProxyMeshException) {
            future.completeExceptionally(error)
        }
        return future
    }

    /** Completing a future runs what depends on it. That must not delay other calls, so it does not happen on this thread. */
    private fun deliver(complete: Runnable) {
        try {
            executor.execute(complete)
        } catch (_: Throwable) {
            // The executor rejects it, or there are no more threads. The future must be completed even so.
            complete.run()
        }
    }

    private inline fun <R> CompletableFuture<R>.completeWith(result: () -> R) {
        try {
            complete(translated(result))
        } catch (error: Throwable) {
            completeExceptionally(error)
        }
    }

    fun with(options: Options): AsyncCalls = translated { AsyncCalls(client.create(withOptions(options)), executor) }

    fun close() = client.invoke(shutDown())

    companion object {
        fun open(username: String?, password: String?): AsyncCalls =
            open(ChosenSettings().also { it.username = username; it.password = password }, null)

        fun open(settings: ChosenSettings, executor: Executor?): AsyncCalls =
            translated { AsyncCalls(Native.functions.create(newClient(settings.checked())), executor ?: threads) }

        private val threads = ThreadPoolExecutor(0, Int.MAX_VALUE, 5, TimeUnit.SECONDS, SynchronousQueue()) { work ->
            Thread(work, "proxymesh-future").apply { isDaemon = true }
        }
    }
}
