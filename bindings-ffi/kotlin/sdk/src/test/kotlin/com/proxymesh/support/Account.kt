package com.proxymesh.support

import com.proxymesh.AsyncCalls
import com.proxymesh.AsyncClient
import com.proxymesh.BlockingCalls
import com.proxymesh.BlockingClient
import com.proxymesh.Calls
import com.proxymesh.Client
import com.proxymesh.LabeledIp
import com.proxymesh.NewToken
import com.proxymesh.SubAccount
import com.proxymesh.Token
import com.proxymesh.settings
import java.nio.file.Path
import java.time.Duration
import kotlin.time.toKotlinDuration
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** A client of any kind, whose calls are made by name. */
interface Account : AutoCloseable {
    suspend fun call(arguments: Arguments): JsonElement

    /** The same client with other options. */
    fun with(timeout: Duration?, maxRetries: Int?): Account
}

/** The settings of a client in a test. */
data class Options(
    val username: String? = USERNAME,
    val password: String? = PASSWORD,
    val token: String? = null,
    val timeout: Duration? = null,
    val connectTimeout: Duration? = null,
    val maxRetries: Int? = null,
    val maxConnections: Int? = null,
    val caFile: Path? = null,
    val trustEnv: Boolean = false,
    val shareState: Boolean = true,
)

enum class Kind {
    SUSPENDING {
        override fun open(baseUrl: String, options: Options): Account = Suspending(baseUrl, options)
    },
    BLOCKING {
        override fun open(baseUrl: String, options: Options): Account = Blocking(baseUrl, options)
    },
    FUTURE {
        override fun open(baseUrl: String, options: Options): Account = Future(baseUrl, options)
    }, ;

    abstract fun open(baseUrl: String, options: Options = Options()): Account
}

private fun settings(baseUrl: String, options: Options) =
    with(options) {
        settings(
            username, password, token, baseUrl, timeout, connectTimeout, maxRetries, maxConnections, caFile, trustEnv, shareState,
        )
    }

class Suspending private constructor(val client: Client, private val baseUrl: String, private val options: Options) : Account {
    constructor(baseUrl: String, options: Options) : this(
        with(options) {
            Client(
                username, password, token, baseUrl, timeout?.toKotlinDuration(), connectTimeout?.toKotlinDuration(), maxRetries,
                maxConnections, caFile, trustEnv, shareState,
            )
        },
        baseUrl,
        options,
    )

    override fun with(timeout: Duration?, maxRetries: Int?) =
        Suspending(client.withOptions(timeout?.toKotlinDuration(), maxRetries), baseUrl, options)

    override suspend fun call(arguments: Arguments): JsonElement =
        json(client.make(arguments) { Calls.open(settings(baseUrl, options)) }).also { arguments.checkAllAsked() }

    override fun close() = client.close()
}

class Blocking private constructor(val client: BlockingClient, private val baseUrl: String, private val options: Options) : Account {
    constructor(baseUrl: String, options: Options) : this(
        with(options) {
            BlockingClient(
                username, password, token, baseUrl, timeout?.toKotlinDuration(), connectTimeout?.toKotlinDuration(), maxRetries,
                maxConnections, caFile, trustEnv, shareState,
            )
        },
        baseUrl,
        options,
    )

    override fun with(timeout: Duration?, maxRetries: Int?) = Blocking(client.withOptions(timeout, maxRetries), baseUrl, options)

    override suspend fun call(arguments: Arguments): JsonElement =
        json(client.make(arguments) { BlockingCalls.open(settings(baseUrl, options)) }).also { arguments.checkAllAsked() }

    override fun close() = client.close()
}

class Future private constructor(val client: AsyncClient, private val baseUrl: String, private val options: Options) : Account {
    constructor(baseUrl: String, options: Options) : this(builder(baseUrl, options).build(), baseUrl, options)

    override fun with(timeout: Duration?, maxRetries: Int?) = Future(client.withOptions(timeout, maxRetries), baseUrl, options)

    override suspend fun call(arguments: Arguments): JsonElement =
        json(client.make(arguments) { AsyncCalls.open(builder(baseUrl, options).chosen, null) }).also { arguments.checkAllAsked() }

    override fun close() = client.close()
}

private fun builder(baseUrl: String, options: Options) = AsyncClient.builder().baseUrl(baseUrl).apply {
    trustEnv(options.trustEnv)
    shareState(options.shareState)
    options.username?.let(::username)
    options.password?.let(::password)
    options.token?.let(::token)
    options.timeout?.let(::timeout)
    options.connectTimeout?.let(::connectTimeout)
    options.maxRetries?.let(::maxRetries)
    options.maxConnections?.let(::maxConnections)
    options.caFile?.let(::caFile)
}

/** The result of a call as JSON, with the names that the service uses. */
internal fun json(value: Any?): JsonElement = when (value) {
    null, Unit -> JsonNull
    is String -> JsonPrimitive(value)
    is Number -> JsonPrimitive(value)
    is Boolean -> JsonPrimitive(value)
    is List<*> -> JsonArray(value.map(::json))
    is Map<*, *> -> JsonObject(value.entries.associate { (key, inner) -> key as String to json(inner) })
    is Duration -> JsonPrimitive(value.toNanos() / 1e9)
    is com.proxymesh.ProxyServer -> JsonPrimitive(value.toString())
    is LabeledIp -> json(mapOf("ip" to value.ip, "label" to value.label))
    is SubAccount -> json(
        mapOf(
            "username" to value.username,
            "active" to value.isActive,
            "monthly_bandwidth" to value.monthlyBandwidth,
            "total_bandwidth" to value.totalBandwidth,
            "monthly_bandwidth_limit" to value.monthlyBandwidthLimit,
            "total_bandwidth_limit" to value.totalBandwidthLimit,
            "first_name" to value.firstName,
            "last_name" to value.lastName,
            "email" to value.email,
        ),
    )
    is Token -> json(token(value))
    is NewToken -> json(token(value.token) + ("token" to value.secret))
    else -> error("no call returns ${value.javaClass}")
}

private fun token(token: Token): Map<String, Any?> = mapOf(
    "id" to token.id,
    "label" to token.label,
    "is_active" to token.isActive,
    "expires_at" to token.expiresAt?.toString(),
    "created_at" to token.createdAt.toString(),
)
