package com.proxymesh

import com.proxymesh.internal.recordOf
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.locks.ReentrantLock
import java.util.function.Consumer
import kotlin.concurrent.withLock

/**
 * The records of one call, on their way from the native library to the logger. The library may pass them on a thread that must not wait, so
 * they are only kept at first.
 *
 * @param tell is called when there is something to write. It must return soon.
 */
internal class Log(@Volatile private var tell: () -> Unit) : Consumer<ByteArray?> {
    private val kept = ConcurrentLinkedQueue<ByteArray>()

    // A virtual thread that waits for a monitor would hold its carrier thread.
    private val writing = ReentrantLock()

    /** Whether a thread will soon write what is kept. A logger that blocks holds up one more thread at most. */
    private val isDue = AtomicBoolean()

    override fun accept(record: ByteArray?) {
        if (record == null) return write()
        kept += record
        tell()
    }

    /** Writes what was kept. When this returns, it is written, even if another thread had begun to do it. */
    fun write(): Unit = writing.withLock {
        while (true) PlatformLogger.write(kept.poll() ?: return)
    }

    /** Writes what is left at the end of the call. What is kept after that, for example by a follower, is written in the background. */
    fun end() {
        tell = {
            if (isDue.compareAndSet(false, true)) {
                val willWrite = inBackground {
                    isDue.set(false)
                    write()
                }
                if (!willWrite) isDue.set(false)
            }
        }
        write()
    }

    companion object {
        /** Whether there is anything to log: the attempts, or only warnings if the call can have any. */
        fun isWanted(canWarn: Boolean): Boolean =
            PlatformLogger.isLoggable(LogLevel.DEBUG) || canWarn && PlatformLogger.isLoggable(LogLevel.WARNING)

        /** The log of a blocking call, which its own thread writes. */
        fun ofThread(canWarn: Boolean): Log? = if (isWanted(canWarn)) Log {} else null

        /** The log of a call that no thread waits for. */
        fun inBackground(canWarn: Boolean): Log? = if (isWanted(canWarn)) Log {}.apply { end() } else null
    }
}

internal enum class LogLevel { DEBUG, INFO, WARNING }

/** The logger `com.proxymesh`. */
internal interface PlatformLogger {
    fun isLoggable(level: LogLevel): Boolean

    fun write(level: LogLevel, message: String)

    companion object {
        private val logger: PlatformLogger = try {
            // The AAR for Android is built without this class.
            Class.forName("com.proxymesh.SystemLogger").getDeclaredConstructor().newInstance() as PlatformLogger
        } catch (_: Throwable) {
            JavaLogger()
        }

        fun isLoggable(level: LogLevel): Boolean = try {
            logger.isLoggable(level)
        } catch (error: Throwable) {
            error.printStackTrace()
            false
        }

        /** Writes a record. A logger that fails does not affect the call, which was made. */
        fun write(bytes: ByteArray) = try {
            val record = recordOf(bytes)
            logger.write(LogLevel.valueOf(record.level.uppercase()), record.message)
        } catch (error: Throwable) {
            error.printStackTrace()
        }
    }
}

/** `java.util.logging`. Android passes it on to its own log. */
internal class JavaLogger : PlatformLogger {
    private val logger = java.util.logging.Logger.getLogger(LOGGER)

    override fun isLoggable(level: LogLevel): Boolean = logger.isLoggable(of(level))

    // With a source, it does not search the stack for one.
    override fun write(level: LogLevel, message: String) = logger.logp(of(level), LOGGER, null, message)

    private fun of(level: LogLevel) = when (level) {
        LogLevel.DEBUG -> java.util.logging.Level.FINE
        LogLevel.INFO -> java.util.logging.Level.INFO
        LogLevel.WARNING -> java.util.logging.Level.WARNING
    }
}

internal const val LOGGER = "com.proxymesh"
