package com.proxymesh

/** `System.Logger`, which SLF4J, Log4j and others can take over. By default, it is `java.util.logging`. Android lacks it. */
internal class SystemLogger : PlatformLogger {
    private val logger = System.getLogger(LOGGER)

    override fun isLoggable(level: LogLevel): Boolean = logger.isLoggable(of(level))

    override fun write(level: LogLevel, message: String) = logger.log(of(level), message)

    private fun of(level: LogLevel) = when (level) {
        LogLevel.DEBUG -> System.Logger.Level.DEBUG
        LogLevel.INFO -> System.Logger.Level.INFO
        LogLevel.WARNING -> System.Logger.Level.WARNING
    }
}
