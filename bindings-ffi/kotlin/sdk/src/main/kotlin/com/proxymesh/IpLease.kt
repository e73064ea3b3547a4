package com.proxymesh

import com.proxymesh.internal.FollowerOptions
import com.proxymesh.internal.LeaseOptions
import com.proxymesh.internal.follower
import com.proxymesh.internal.followerCheck
import com.proxymesh.internal.followerClose
import com.proxymesh.internal.followerIp
import com.proxymesh.internal.followerIsRunning
import com.proxymesh.internal.followerStart
import com.proxymesh.internal.lease
import com.proxymesh.internal.leaseEnter
import com.proxymesh.internal.leaseRelease
import java.time.Duration
import java.util.concurrent.CancellationException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import kotlin.time.toJavaDuration
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import kotlin.time.Duration as KotlinDuration

/**
 * An IP that is authorised until this is closed. [BlockingIps.authorized] returns it.
 *
 * If it is never closed, the IP stays authorised until the next lease of the same account on this machine takes it over or removes it.
 */
public class BlockingIpLease internal constructor(private val lease: BlockingCalls, ip: String) : AutoCloseable {
    /** The authorised address. */
    public val ip: String = ip

    /**
     * Removes the IP, if a lease added it and nobody on this machine needs it any more. This makes up to three calls. An interrupt does not
     * end them. You may close a lease twice.
     *
     * @throws ProxyMeshException the IP could not be removed. It stays authorised, and the next lease of the same account on this machine
     *   takes it over or removes it.
     */
    override fun close(): Unit = lease.finish(leaseRelease())
}

/**
 * An IP that is authorised until this is released. [AsyncIps.authorized] returns it.
 *
 * If it is never released, the IP stays authorised until the next lease of the same account on this machine takes it over or removes it.
 */
public class AsyncIpLease internal constructor(private val lease: AsyncCalls, ip: String) {
    /** The authorised address. */
    public val ip: String = ip

    /**
     * Removes the IP, if a lease added it and nobody on this machine needs it any more. You may release a lease twice. If the future fails,
     * the IP stays authorised, and the next lease of the same account on this machine takes it over or removes it.
     */
    public fun release(): CompletableFuture<Void?> = lease.make(leaseRelease()) { null }
}

/** What the followers of all clients have in common. */
public sealed class AbstractIpFollower(private val follower: Local, private val first: String) {
    /** The IP that is authorised now. */
    public val ip: String get() = follower.now(followerIp()) ?: first

    /**
     * Why the last check failed; null if it worked. After a failure, the check is repeated after one second, and then at intervals that
     * double until they reach the follower's interval.
     */
    public val error: ProxyMeshException? get() = try {
        follower.now(followerCheck())
        null
    } catch (error: ProxyMeshException) {
        error
    }

    /**
     * Whether the follower is still running. It ends by itself only if the service rejects the credentials. [error] is then that refusal.
     */
    public val isRunning: Boolean get() = follower.now(followerIsRunning())

    /** The address. */
    override fun toString(): String = "${javaClass.simpleName}(ip=$ip)"
}

/**
 * Keeps this machine's address authorised until it is closed. [Ips.follow] returns it.
 *
 * Close it when the address no longer needs to be authorised. If the program ends before that, the IP stays authorised, and the next lease
 * of the same account on this machine takes it over or removes it.
 */
public class IpFollower internal constructor(private val follower: Calls, ip: String) : AbstractIpFollower(follower, ip) {
    /**
     * Ends the follower and removes the IP. A cancellation does not end this. You may close a follower twice.
     *
     * @throws ProxyMeshException the error that ended the follower, or else the error of removing the IP.
     */
    public suspend fun close(): Unit = withContext(NonCancellable) { follower.make(followerClose()) }
}

/**
 * Keeps this machine's address authorised until it is closed. [BlockingIps.follow] returns it.
 *
 * Close it when the address no longer needs to be authorised. If the program ends before that, the IP stays authorised, and the next lease
 * of the same account on this machine takes it over or removes it.
 */
public class BlockingIpFollower internal constructor(private val follower: BlockingCalls, ip: String) :
    AbstractIpFollower(follower, ip),
    AutoCloseable {
        /**
         * Ends the follower and removes the IP. An interrupt does not end this. You may close a follower twice.
         *
         * @throws ProxyMeshException the error that ended the follower, or else the error of removing the IP.
         */
        override fun close(): Unit = follower.finish(followerClose())
    }

/**
 * Keeps this machine's address authorised until it is closed. [AsyncIps.follow] returns it.
 *
 * Close it when the address no longer needs to be authorised. If the program ends before that, the IP stays authorised, and the next lease
 * of the same account on this machine takes it over or removes it.
 */
public class AsyncIpFollower internal constructor(private val follower: AsyncCalls, ip: String) : AbstractIpFollower(follower, ip) {
    /**
     * Ends the follower and removes the IP. You may close a follower twice. The future fails with the error that ended the follower, or
     * else with the error of removing the IP.
     */
    public fun close(): CompletableFuture<Void?> = follower.make(followerClose()) { null }
}

/** What `client.ips` has besides its calls. */
public sealed class IpsExtension(private val calls: Calls) {
    /**
     * Authorises an IP, by default this machine's own, while [block] runs. The IP is released when the block ends, even if the block throws
     * or the coroutine is cancelled.
     *
     * ```kotlin
     * client.ips.withAuthorizedIp(label = "nightly crawl") { ip -> println("$ip may use the proxies without credentials") }
     * ```
     *
     * The IP is added if it is not authorised yet. Leases of one user on one machine share an IP: the last one removes it, whichever
     * process added it, even if they use different credentials for the account. A killed process leaves its IP behind. The next lease of
     * the same account on this machine takes it over. If this machine has a different address by then, the next lease with the same
     * credentials removes the old one. If the IP's label has changed, the IP belongs to someone else and stays. An IP that was already
     * authorised stays.
     *
     * The leases find each other through files in the user's state folder, or else in a folder for temporary files. These contain no
     * address, name or secret.
     *
     * @param ip the address, IPv4 or IPv6. Without one, this machine's own address is used: the local address of a connection to the
     *   service if that address is public, and otherwise what the page [lookup] returns.
     * @param label the label to store with the IP, at most 255 characters; `proxymesh on` and the name of this machine by default.
     * @param lookup the URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. It gets no
     *   credentials.
     * @param username the sub-account to authorise it for; your own account by default.
     * @param block gets the address.
     * @throws ValidationException an argument is malformed.
     * @throws ConnectionException this machine's address cannot be determined within 10 seconds.
     * @throws CallTimeoutException another process has been adding or removing an IP for more than 60 seconds.
     * @throws ConfigException the client is closed, or there is no folder that only this user can write to.
     * @throws ProxyMeshException the exceptions of `labels` and `add` if the IP cannot be added, and of `labels` and `delete` if it cannot
     *   be removed. If [block] throws, its exception is thrown, and a failed removal is only a suppressed exception.
     */
    public suspend fun <T> withAuthorizedIp(
        ip: String? = null,
        label: String? = null,
        lookup: String? = null,
        username: String? = null,
        block: suspend (ip: String) -> T,
    ): T {
        val lease = calls.create(lease(LeaseOptions(ip, label, lookup, username)))
        return closing({ block(lease.make(leaseEnter())) }) { lease.make(leaseRelease()) }
    }

    /**
     * Keeps this machine's address authorised while it changes, until the returned follower is closed.
     *
     * The address is checked once per [interval]. When it has changed, the new address is added and the old one is removed. An address that
     * was already authorised stays. A check that fails, for example because this machine is offline, is repeated. The last address stays
     * authorised meanwhile. Only rejected credentials end the follower.
     *
     * If this machine has a dynamic DNS name, `hostnames.add` is the service's own solution for a changing address. Nothing has to run on
     * this machine then.
     *
     * @param label the label to store with the address, at most 255 characters; `proxymesh on` and the name of this machine by default.
     * @param lookup the URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. Behind a
     *   router, each check asks this page. It gets no credentials.
     * @param username the sub-account to authorise it for; your own account by default.
     * @param interval the time from the end of one check to the next, from one second to one day; 60 s by default.
     * @throws ValidationException an argument is malformed.
     * @throws ConnectionException this machine's address cannot be determined within 10 seconds.
     * @throws CallTimeoutException another process has been adding or removing an IP for more than 60 seconds.
     * @throws ConfigException the client is closed, or there is no folder that only this user can write to.
     * @throws ProxyMeshException the exceptions of `labels` and `add`.
     */
    public suspend fun follow(
        label: String? = null,
        lookup: String? = null,
        username: String? = null,
        interval: KotlinDuration? = null,
    ): IpFollower {
        val follower = calls.create(follower(FollowerOptions(label, lookup, username, interval?.toJavaDuration()?.inSeconds())))
        return closing({ IpFollower(follower, follower.make(followerStart())) }, onlyIfFailed = true) {
            follower.make(followerClose())
        }
    }

    private suspend fun <T> closing(work: suspend () -> T, onlyIfFailed: Boolean = false, close: suspend () -> Unit): T {
        val result = runCatching { work() }
        if (result.isSuccess && onlyIfFailed) return result.getOrThrow()
        try {
            withContext(NonCancellable) { close() }
        } catch (error: ProxyMeshException) {
            // The first error is the one to report.
            result.exceptionOrNull()?.addSuppressed(error) ?: throw error
        }
        return result.getOrThrow()
    }
}

/** What `client.ips` has besides its calls. */
public sealed class BlockingIpsExtension(private val calls: BlockingCalls) {
    /**
     * Authorises an IP, by default this machine's own, until the returned lease is closed. In Java:
     *
     * ```java
     * try (var lease = client.getIps().authorized()) {
     *     System.out.println(lease.getIp() + " may use the proxies without credentials");
     * }
     * ```
     *
     * The IP is added if it is not authorised yet. Leases of one user on one machine share an IP: the last one removes it, whichever
     * process added it, even if they use different credentials for the account. A killed process leaves its IP behind. The next lease of
     * the same account on this machine takes it over. If this machine has a different address by then, the next lease with the same
     * credentials removes the old one. If the IP's label has changed, the IP belongs to someone else and stays. An IP that was already
     * authorised stays.
     *
     * The leases find each other through files in the user's state folder, or else in a folder for temporary files. These contain no
     * address, name or secret.
     *
     * @param ip the address, IPv4 or IPv6. Without one, this machine's own address is used: the local address of a connection to the
     *   service if that address is public, and otherwise what the page [lookup] returns.
     * @param label the label to store with the IP, at most 255 characters; `proxymesh on` and the name of this machine by default.
     * @param lookup the URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. It gets no
     *   credentials.
     * @param username the sub-account to authorise it for; your own account by default.
     * @throws ValidationException an argument is malformed.
     * @throws ConnectionException this machine's address cannot be determined within 10 seconds.
     * @throws CallTimeoutException another process has been adding or removing an IP for more than 60 seconds.
     * @throws ConfigException the client is closed, or there is no folder that only this user can write to.
     * @throws ProxyMeshException the exceptions of `labels` and `add`.
     */
    @JvmOverloads
    public fun authorized(
        ip: String? = null,
        label: String? = null,
        lookup: String? = null,
        username: String? = null,
    ): BlockingIpLease {
        val lease = calls.create(lease(LeaseOptions(ip, label, lookup, username)))
        return entered({ BlockingIpLease(lease, lease.make(leaseEnter())) }) { lease.finish(leaseRelease()) }
    }

    /**
     * Keeps this machine's address authorised while it changes, until the returned follower is closed.
     *
     * The address is checked once per [interval]. When it has changed, the new address is added and the old one is removed. An address that
     * was already authorised stays. A check that fails, for example because this machine is offline, is repeated. The last address stays
     * authorised meanwhile. Only rejected credentials end the follower.
     *
     * If this machine has a dynamic DNS name, `hostnames.add` is the service's own solution for a changing address. Nothing has to run on
     * this machine then.
     *
     * @param label the label to store with the address, at most 255 characters; `proxymesh on` and the name of this machine by default.
     * @param lookup the URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. Behind a
     *   router, each check asks this page. It gets no credentials.
     * @param username the sub-account to authorise it for; your own account by default.
     * @param interval the time from the end of one check to the next, from one second to one day; 60 s by default.
     * @throws ValidationException an argument is malformed.
     * @throws ConnectionException this machine's address cannot be determined within 10 seconds.
     * @throws CallTimeoutException another process has been adding or removing an IP for more than 60 seconds.
     * @throws ConfigException the client is closed, or there is no folder that only this user can write to.
     * @throws ProxyMeshException the exceptions of `labels` and `add`.
     */
    @JvmOverloads
    public fun follow(
        label: String? = null,
        lookup: String? = null,
        username: String? = null,
        interval: Duration? = null,
    ): BlockingIpFollower {
        val follower = calls.create(follower(FollowerOptions(label, lookup, username, interval?.inSeconds())))
        return entered({ BlockingIpFollower(follower, follower.make(followerStart())) }) { follower.finish(followerClose()) }
    }

    /** The same with a `kotlin.time.Duration`; see the other [follow]. */
    public fun follow(
        label: String? = null,
        lookup: String? = null,
        username: String? = null,
        interval: KotlinDuration,
    ): BlockingIpFollower = follow(label, lookup, username, interval.toJavaDuration())

    private inline fun <T> entered(enter: () -> T, close: () -> Unit): T =
        try {
            enter()
        } catch (error: Throwable) {
            try {
                close()
            } catch (second: ProxyMeshException) {
                error.addSuppressed(second)
            }
            throw error
        }
}

/** What `client.getIps()` has besides its calls. */
public sealed class AsyncIpsExtension(private val calls: AsyncCalls) {
    /**
     * Authorises an IP, by default this machine's own, until the returned lease is released. If the future is cancelled, the IP is
     * released.
     *
     * The IP is added if it is not authorised yet. Leases of one user on one machine share an IP: the last one removes it, whichever
     * process added it, even if they use different credentials for the account. A killed process leaves its IP behind. The next lease of
     * the same account on this machine takes it over. If this machine has a different address by then, the next lease with the same
     * credentials removes the old one. If the IP's label has changed, the IP belongs to someone else and stays. An IP that was already
     * authorised stays.
     *
     * The leases find each other through files in the user's state folder, or else in a folder for temporary files. These contain no
     * address, name or secret.
     *
     * @param ip the address, IPv4 or IPv6. Without one, this machine's own address is used: the local address of a connection to the
     *   service if that address is public, and otherwise what the page [lookup] returns.
     * @param label the label to store with the IP, at most 255 characters; `proxymesh on` and the name of this machine by default.
     * @param lookup the URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. It gets no
     *   credentials.
     * @param username the sub-account to authorise it for; your own account by default.
     * @return a future that fails with the exceptions of [BlockingIps.authorized].
     */
    @JvmOverloads
    public fun authorized(
        ip: String? = null,
        label: String? = null,
        lookup: String? = null,
        username: String? = null,
    ): CompletableFuture<AsyncIpLease> =
        try {
            val lease = calls.create(lease(LeaseOptions(ip, label, lookup, username)))
            entered(lease.make(leaseEnter()) { AsyncIpLease(lease, it) }) { lease.make(leaseRelease()) { null } }
        } catch (error: ProxyMeshException) {
            failed(error)
        }

    /**
     * Keeps this machine's address authorised while it changes, until the returned follower is closed.
     *
     * The address is checked once per [interval]. When it has changed, the new address is added and the old one is removed. An address that
     * was already authorised stays. A check that fails, for example because this machine is offline, is repeated. The last address stays
     * authorised meanwhile. Only rejected credentials end the follower.
     *
     * If this machine has a dynamic DNS name, `hostnames.add` is the service's own solution for a changing address. Nothing has to run on
     * this machine then.
     *
     * @param label the label to store with the address, at most 255 characters; `proxymesh on` and the name of this machine by default.
     * @param lookup the URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. Behind a
     *   router, each check asks this page. It gets no credentials.
     * @param username the sub-account to authorise it for; your own account by default.
     * @param interval the time from the end of one check to the next, from one second to one day; 60 s by default.
     * @return a future that fails with the exceptions of [BlockingIps.follow].
     */
    @JvmOverloads
    public fun follow(
        label: String? = null,
        lookup: String? = null,
        username: String? = null,
        interval: Duration? = null,
    ): CompletableFuture<AsyncIpFollower> =
        try {
            val follower = calls.create(follower(FollowerOptions(label, lookup, username, interval?.inSeconds())))
            entered(follower.make(followerStart()) { AsyncIpFollower(follower, it) }) { follower.make(followerClose()) { null } }
        } catch (error: ProxyMeshException) {
            failed(error)
        }

    /** A future for what [entering] returns. If nobody gets that, it is closed. The future fails only after that. */
    private fun <T> entered(entering: CompletableFuture<T>, close: () -> CompletableFuture<Void?>): CompletableFuture<T> {
        val result = Entered(entering)
        result.whenComplete { _, _ -> if (!entering.isDone) entering.cancel(true) }
        entering.whenComplete { entered, error ->
            if (error != null) {
                val closing = close()
                result.closing = closing
                closing.whenComplete { _, second ->
                    if (second != null && second !== error) error.addSuppressed(second)
                    result.completeExceptionally(error)
                }
            } else if (!result.complete(entered)) {
                close()
            }
        }
        return result
    }

    /**
     * The future that depends on [entering]. A thread that waits for it waits for the call itself, and so completes it. Otherwise, a thread
     * of the executor would have to, and the waiting one may be the only one.
     */
    private class Entered<T>(private val entering: CompletableFuture<T>) : CompletableFuture<T>() {
        @Volatile var closing: CompletableFuture<Void?>? = null

        override fun join(): T {
            if (!isDone) {
                runCatching { entering.join() }
                runCatching { closing?.join() }
            }
            return super.join()
        }

        override fun get(): T {
            if (!isDone) {
                waiting { entering.get() }
                waiting { closing?.get() }
            }
            return super.get()
        }

        override fun get(timeout: Long, unit: TimeUnit): T {
            val end = System.nanoTime() + unit.toNanos(timeout)
            if (!isDone) {
                waiting { entering.get(end - System.nanoTime(), TimeUnit.NANOSECONDS) }
                waiting { closing?.get(end - System.nanoTime(), TimeUnit.NANOSECONDS) }
            }
            return super.get(end - System.nanoTime(), TimeUnit.NANOSECONDS)
        }

        /** Waits. How the call ends is none of the waiting thread's business, but an interrupt and the end of its time are. */
        private inline fun waiting(wait: () -> Unit) {
            try {
                wait()
            } catch (_: ExecutionException) {
            } catch (_: CancellationException) {
            }
        }
    }
}
