package com.proxymesh.support

import com.proxymesh.BlockingCalls
import com.proxymesh.BlockingClient
import com.proxymesh.Calls
import com.proxymesh.Client
import com.proxymesh.LabeledIp
import com.proxymesh.NewToken
import com.proxymesh.SubAccount
import com.proxymesh.Token
import com.proxymesh.settings
import com.proxymesh.translated
import java.nio.file.Path
import java.time.Duration
import java.time.LocalDate
import java.time.format.DateTimeParseException
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** Either client, whose calls go by the names that the tables have for them. */
interface Account : AutoCloseable {
    suspend fun call(arguments: Arguments): JsonElement

    /** The same with other options. */
    fun with(timeout: Duration?, maxRetries: Int?): Account
}

/** What a client is made with in a test. */
data class Options(
    val username: String? = USERNAME,
    val password: String? = PASSWORD,
    val token: String? = null,
    val timeout: Duration? = null,
    val connectTimeout: Duration? = null,
    val maxRetries: Int? = null,
    val caFile: Path? = null,
    val trustEnv: Boolean = false,
)

enum class Kind {
    SUSPENDING {
        override fun open(baseUrl: String, options: Options): Account = Suspending(baseUrl, options)
    },
    BLOCKING {
        override fun open(baseUrl: String, options: Options): Account = Blocking(baseUrl, options)
    }, ;

    abstract fun open(baseUrl: String, options: Options = Options()): Account
}

private fun settings(baseUrl: String, options: Options) =
    with(options) { settings(username, password, token, baseUrl, timeout, connectTimeout, maxRetries, caFile, trustEnv) }

class Suspending private constructor(val client: Client, private val baseUrl: String, private val options: Options) : Account {
    constructor(baseUrl: String, options: Options) : this(
        with(options) { Client(username, password, token, baseUrl, timeout, connectTimeout, maxRetries, caFile, trustEnv) },
        baseUrl,
        options,
    )

    override fun with(timeout: Duration?, maxRetries: Int?) = Suspending(client.withOptions(timeout, maxRetries), baseUrl, options)

    override suspend fun call(arguments: Arguments): JsonElement = with(arguments) {
        val username = maybe("username")
        val answer: Any? = when (call) {
            "sub_accounts.create" -> client.subAccounts.create(
                text("username"), maybe("password"), maybe("first_name"), maybe("last_name"), maybe("email"),
                maybeWhole("monthly_limit"), maybeWhole("total_limit"),
            )
            "sub_accounts.edit" -> client.subAccounts.edit(
                text("username"), maybe("password"), maybe("first_name"), maybe("last_name"), maybe("email"),
                maybeWhole("monthly_limit"), maybeWhole("total_limit"),
            )
            "sub_accounts.get" -> client.subAccounts.get(text("username"))
            "sub_accounts.activate" -> client.subAccounts.activate(text("username"))
            "sub_accounts.deactivate" -> client.subAccounts.deactivate(text("username"))
            "sub_accounts.delete" -> client.subAccounts.delete(text("username"))
            "ips.add" -> client.ips.add(text("ip"), maybe("label"), username)
            "ips.delete" -> client.ips.delete(text("ip"), username)
            "ips.list" -> client.ips.list(username)
            "ips.labels" -> client.ips.labels(username)
            "hostnames.add" -> client.hostnames.add(text("domain"), username)
            "hostnames.delete" -> client.hostnames.delete(text("domain"), username)
            "hostnames.list" -> client.hostnames.list()
            "proxies.list" -> client.proxies.list()
            "proxies.add" -> client.proxies.add(text("proxy"))
            "proxies.delete" -> client.proxies.delete(text("proxy"))
            "tokens.list" -> client.tokens.list(username)
            "tokens.create" -> when (val expiry = expiry()) {
                is Expiry.Date -> client.tokens.create(maybe("label"), expiry.date, username)
                is Expiry.NoDate -> Calls.open(settings(baseUrl, options)).make {
                    tokensCreate(maybe("label"), expiry.text, username).translated()
                }
            }
            "tokens.activate" -> client.tokens.activate(whole("id"), username)
            "tokens.deactivate" -> client.tokens.deactivate(whole("id"), username)
            "tokens.delete" -> client.tokens.delete(whole("id"), username)
            "geo.open" -> client.geo.open()
            "geo.world" -> client.geo.world()
            else -> error("there is no call $call")
        }
        checkAllAsked()
        json(answer)
    }

    override fun close() = client.close()
}

class Blocking private constructor(val client: BlockingClient, private val baseUrl: String, private val options: Options) : Account {
    constructor(baseUrl: String, options: Options) : this(
        with(options) { BlockingClient(username, password, token, baseUrl, timeout, connectTimeout, maxRetries, caFile, trustEnv) },
        baseUrl,
        options,
    )

    override fun with(timeout: Duration?, maxRetries: Int?) = Blocking(client.withOptions(timeout, maxRetries), baseUrl, options)

    override suspend fun call(arguments: Arguments): JsonElement = with(arguments) {
        val username = maybe("username")
        val answer: Any? = when (call) {
            "sub_accounts.create" -> client.subAccounts.create(
                text("username"), maybe("password"), maybe("first_name"), maybe("last_name"), maybe("email"),
                maybeWhole("monthly_limit"), maybeWhole("total_limit"),
            )
            "sub_accounts.edit" -> client.subAccounts.edit(
                text("username"), maybe("password"), maybe("first_name"), maybe("last_name"), maybe("email"),
                maybeWhole("monthly_limit"), maybeWhole("total_limit"),
            )
            "sub_accounts.get" -> client.subAccounts.get(text("username"))
            "sub_accounts.activate" -> client.subAccounts.activate(text("username"))
            "sub_accounts.deactivate" -> client.subAccounts.deactivate(text("username"))
            "sub_accounts.delete" -> client.subAccounts.delete(text("username"))
            "ips.add" -> client.ips.add(text("ip"), maybe("label"), username)
            "ips.delete" -> client.ips.delete(text("ip"), username)
            "ips.list" -> client.ips.list(username)
            "ips.labels" -> client.ips.labels(username)
            "hostnames.add" -> client.hostnames.add(text("domain"), username)
            "hostnames.delete" -> client.hostnames.delete(text("domain"), username)
            "hostnames.list" -> client.hostnames.list()
            "proxies.list" -> client.proxies.list()
            "proxies.add" -> client.proxies.add(text("proxy"))
            "proxies.delete" -> client.proxies.delete(text("proxy"))
            "tokens.list" -> client.tokens.list(username)
            "tokens.create" -> when (val expiry = expiry()) {
                is Expiry.Date -> client.tokens.create(maybe("label"), expiry.date, username)
                is Expiry.NoDate -> BlockingCalls.open(settings(baseUrl, options)).make {
                    tokensCreate(maybe("label"), expiry.text, username).translated()
                }
            }
            "tokens.activate" -> client.tokens.activate(whole("id"), username)
            "tokens.deactivate" -> client.tokens.deactivate(whole("id"), username)
            "tokens.delete" -> client.tokens.delete(whole("id"), username)
            "geo.open" -> client.geo.open()
            "geo.world" -> client.geo.world()
            else -> error("there is no call $call")
        }
        checkAllAsked()
        json(answer)
    }

    override fun close() = client.close()
}

private sealed interface Expiry {
    class Date(val date: LocalDate?) : Expiry

    /** What no `LocalDate` can be, so that only the core can refuse it. */
    class NoDate(val text: String) : Expiry
}

private fun Arguments.expiry(): Expiry {
    val text = maybe("expires_at") ?: return Expiry.Date(null)
    return try {
        val date = LocalDate.parse(text)
        if (date.toString() == text) Expiry.Date(date) else Expiry.NoDate(text)
    } catch (_: DateTimeParseException) {
        Expiry.NoDate(text)
    }
}

/** A call's value as the tables have it. */
private fun json(value: Any?): JsonElement = when (value) {
    null, Unit -> JsonNull
    is String -> JsonPrimitive(value)
    is Number -> JsonPrimitive(value)
    is Boolean -> JsonPrimitive(value)
    is List<*> -> JsonArray(value.map(::json))
    is Map<*, *> -> JsonObject(value.entries.associate { (key, inner) -> key as String to json(inner) })
    is com.proxymesh.Proxy -> JsonPrimitive(value.toString())
    is LabeledIp -> json(mapOf("ip" to value.ip, "label" to value.label))
    is SubAccount -> json(
        mapOf(
            "username" to value.username,
            "active" to value.active,
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
    else -> error("no call gives ${value.javaClass}")
}

private fun token(token: Token): Map<String, Any?> = mapOf(
    "id" to token.id,
    "label" to token.label,
    "is_active" to token.isActive,
    "expires_at" to token.expiresAt?.toString(),
    "created_at" to token.createdAt.toString(),
)
