package com.proxymesh.testing

import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.longOrNull

/**
 * An API call that has arrived at a [Sandbox].
 *
 * @property method `GET` or `POST`.
 * @property path the path, such as `/api/ip/add/`.
 * @property query the fields of the query. If a field is repeated, the last one counts.
 * @property form the fields of the form. If a field is repeated, the last one counts.
 * @property username who made the call, if it had a username and password.
 * @property status the status of the response; null if there was none.
 * @property fault the kind of the fault that the call met; null if it met none.
 */
public class RecordedRequest internal constructor(
    public val method: String,
    public val path: String,
    public val query: Map<String, String>,
    public val form: Map<String, String>,
    public val username: String?,
    public val status: Int?,
    public val fault: String?,
) {
    /** The method, the path and the status. */
    override fun toString(): String = "$method $path -> $status"

    internal companion object {
        fun of(json: JsonObject) = RecordedRequest(
            method = json.getValue("method").jsonPrimitive.content,
            path = json.getValue("path").jsonPrimitive.content,
            query = pairs(json, "query"),
            form = pairs(json, "form"),
            username = (json["auth"] as? JsonObject)?.let { text(it, "username") },
            status = (json["status"] as? JsonPrimitive)?.intOrNull,
            fault = text(json, "fault"),
        )
    }
}

/**
 * A request that a proxy of a [Sandbox] has received.
 *
 * @property proxy the proxy's name, such as `us-ca`.
 * @property method `CONNECT` for an https target.
 * @property target where to: `host:port` for a `CONNECT`, and the URL otherwise.
 * @property headers the headers, with their names in lower case. Credentials are redacted.
 * @property account who may use the proxy; null if the request was refused.
 * @property exitIp the exit IP that was used; null if there was none.
 * @property country the country of the exit IP, if the proxy has exit IPs in several countries; otherwise null.
 * @property status the status of the proxy's response; null if there was none.
 * @property bytes how many bytes went through.
 */
public class ProxiedRequest internal constructor(
    public val proxy: String,
    public val method: String,
    public val target: String,
    public val headers: Map<String, String>,
    public val account: String?,
    public val exitIp: String?,
    public val country: String?,
    public val status: Int?,
    public val bytes: Long,
) {
    /** The proxy, the method, the target and the status. */
    override fun toString(): String = "$proxy: $method $target -> $status"

    internal companion object {
        fun of(json: JsonObject) = ProxiedRequest(
            proxy = json.getValue("proxy").jsonPrimitive.content,
            method = json.getValue("method").jsonPrimitive.content,
            target = json.getValue("target").jsonPrimitive.content,
            headers = pairs(json, "headers"),
            account = text(json, "account"),
            exitIp = text(json, "exit_ip"),
            country = text(json, "country"),
            status = (json["status"] as? JsonPrimitive)?.intOrNull,
            bytes = (json["bytes"] as? JsonPrimitive)?.longOrNull ?: 0,
        )
    }
}

private fun pairs(json: JsonObject, name: String): Map<String, String> =
    json.getValue(name).jsonArray.associate { pair ->
        val (key, value) = pair.jsonArray.map { it.jsonPrimitive.content }
        key to value
    }

private fun text(json: JsonObject, name: String): String? = (json[name] as? JsonPrimitive)?.takeIf { it.isString }?.content
