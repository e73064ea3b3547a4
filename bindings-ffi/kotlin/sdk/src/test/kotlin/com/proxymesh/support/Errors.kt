package com.proxymesh.support

import com.proxymesh.AuthenticationBlockedException
import com.proxymesh.BasicAuthRequiredException
import com.proxymesh.CallTimeoutException
import com.proxymesh.ConfigException
import com.proxymesh.ConnectionException
import com.proxymesh.DecodeException
import com.proxymesh.InternalException
import com.proxymesh.OutcomeUnknownException
import com.proxymesh.PoolExhaustedException
import com.proxymesh.ProxyMeshException
import com.proxymesh.StatusException
import com.proxymesh.ValidationException

/** The kind, by the name that all languages share. */
fun ProxyMeshException.kind(): String = if (this is CallTimeoutException) "Timeout" else javaClass.simpleName.removeSuffix("Exception")

/** The fields of this kind of exception, except the call and the text. The `when` is exhaustive. */
fun ProxyMeshException.fields(): Map<String, Any?> = when (this) {
    is ConfigException -> mapOf("reason" to reason)
    is ValidationException -> mapOf("field" to field, "reason" to reason)
    is BasicAuthRequiredException -> emptyMap()
    is AuthenticationBlockedException -> mapOf("retryAfter" to retryAfter)
    is StatusException -> mapOf(
        "status" to status,
        "reason" to reason,
        "fieldErrors" to fieldErrors,
        "body" to body,
        "retryAfter" to retryAfter,
        "attempts" to attempts,
    )
    is CallTimeoutException -> mapOf("reason" to reason, "attempts" to attempts)
    is ConnectionException -> mapOf("reason" to reason, "attempts" to attempts)
    is DecodeException -> mapOf("status" to status, "reason" to reason, "body" to body)
    is PoolExhaustedException -> mapOf("reason" to reason, "retryAfter" to retryAfter)
    is OutcomeUnknownException -> mapOf("reason" to reason, "recoveryHint" to recoveryHint)
    is InternalException -> emptyMap()
}
