package com.proxymesh

import java.nio.file.Path
import java.time.Duration
import com.proxymesh.internal.Options
import com.proxymesh.internal.Settings

internal fun settings(
    username: String?,
    password: String?,
    token: String?,
    baseUrl: String?,
    timeout: Duration?,
    connectTimeout: Duration?,
    maxRetries: Int?,
    maxConnections: Int?,
    caFile: Path?,
    trustEnv: Boolean,
    shareState: Boolean,
) = Settings(
    username = username,
    password = password,
    token = token,
    baseUrl = baseUrl,
    timeout = timeout?.inSeconds(),
    connectTimeout = connectTimeout?.inSeconds(),
    maxRetries = maxRetries?.toLong(),
    maxConnections = maxConnections?.toLong(),
    caFile = caFile?.toString(),
    trustEnv = trustEnv,
    shareState = shareState,
    userAgent = "proxymesh-kotlin/$VERSION",
)

/** The settings that a builder has collected. */
internal class ChosenSettings {
    var username: String? = null
    @Transient @get:JvmSynthetic var password: String? = null
    @Transient @get:JvmSynthetic var token: String? = null
    var baseUrl: String? = null
    var timeout: Duration? = null
    var connectTimeout: Duration? = null
    var maxRetries: Int? = null
    var maxConnections: Int? = null
    var caFile: Path? = null
    var trustEnv: Boolean = false
    var shareState: Boolean = true

    fun checked(): Settings = settings(
        username, password, token, baseUrl, timeout, connectTimeout, maxRetries, maxConnections, caFile, trustEnv, shareState,
    )
}

internal fun options(timeout: Duration?, maxRetries: Int?) =
    Options(timeout = timeout?.inSeconds(), maxRetries = maxRetries?.toLong())
