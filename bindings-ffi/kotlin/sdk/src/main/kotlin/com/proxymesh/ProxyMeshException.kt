package com.proxymesh

import java.io.Serializable
import java.time.Duration
import com.proxymesh.internal.Failure
import com.proxymesh.internal.Refusal as FfiRefusal

/**
 * The base class of the SDK's errors. The message says what went wrong and what to do. It is the same in every language of the SDK. No
 * exception ever contains a password or a token.
 *
 * The class is sealed, so a `when` can be exhaustive. The exceptions are unchecked, because Kotlin has no other kind and because every
 * call can fail. In Java, catch them where you can handle them.
 *
 * Your own tests can create any of them as a call would throw it: `RateLimitedException("…", Refusal("ips.add", 429, "slow down"))`.
 *
 * A cancelled coroutine throws none of these. It ends with `CancellationException`, as usual.
 *
 * @property call the call that failed, such as `ips.add`; null if a setting or an input is wrong.
 */
public sealed class ProxyMeshException(message: String, public val call: String?) : RuntimeException(message)

/**
 * The client cannot be created or used: the base URL is invalid, credentials are missing or contradictory, plain http is set for a host
 * that is not loopback, another setting is invalid, or the client is closed. It is also thrown if the native library cannot be loaded.
 * The message says why.
 *
 * @property reason what is wrong.
 */
public class ConfigException(message: String, public val reason: String) :
    ProxyMeshException(message, null)

/**
 * An input breaks a rule of the service; nothing was sent.
 *
 * @property field the parameter's name in the API, such as `monthly_limit`; `text` if some text is not valid Unicode.
 * @property reason the rule that it breaks.
 */
public class ValidationException(message: String, public val field: String, public val reason: String) :
    ProxyMeshException(message, null) {
        internal constructor(field: String, reason: String) : this("$field: $reason", field, reason)
    }

/** A client with a token made a token call; nothing was sent. These calls need the username and password. */
public class BasicAuthRequiredException(message: String, call: String) :
    ProxyMeshException(message, call)

/**
 * The service has refused the credentials too often; nothing was sent. Four failures ban the account for three hours, so the
 * client stops earlier.
 *
 * @property retryAfter how long until the next attempt is allowed.
 */
public class AuthenticationBlockedException(message: String, call: String, public val retryAfter: Duration) :
    ProxyMeshException(message, call)

/**
 * The service refused the call. The subclass tells why.
 *
 * @property refusal what the service said.
 */
public sealed class StatusException(message: String, public val refusal: Refusal) :
    ProxyMeshException(message, refusal.call) {
    /** The HTTP status. */
    public val status: Int get() = refusal.status

    /** Why the service refused, in one line. */
    public val reason: String get() = refusal.reason

    /** The reasons for each form field, if the service names fields. */
    public val fieldErrors: Map<String, List<String>> get() = refusal.fieldErrors

    /** The first 4 KiB of the response. */
    public val body: String get() = refusal.body

    /** How long the service asks to wait, if it does. */
    public val retryAfter: Duration? get() = refusal.retryAfter

    /** How often the call was tried; 0 if it was not sent, because another call with the same credentials was refused. */
    public val attempts: Int get() = refusal.attempts
}

/** 401: the service rejects the credentials, or has banned the caller. The call is never retried. */
public class AuthenticationException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 400: invalid or contradictory input. */
public class BadRequestException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 402: the plan does not allow this. */
public class PlanLimitException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 403: the object is not yours, or only the parent account may do this. */
public class PermissionDeniedException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 404: the object does not exist. */
public class NotFoundException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 429: too many requests; [retryAfter] says how long to wait, if the service says so. */
public class RateLimitedException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 5xx: a server error. */
public class ServerException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** Any other status, including redirects (3xx), which are never followed. */
public class UnexpectedStatusException(message: String, refusal: Refusal) : StatusException(message, refusal)

/**
 * No response came within the time limit.
 *
 * @property reason what the call waited for, and for how long.
 * @property attempts how often the call was tried.
 */
public class TimeoutException(message: String, call: String, public val reason: String, public val attempts: Int) :
    ProxyMeshException(message, call)

/**
 * The connection failed or broke: DNS, refused, reset or TLS.
 *
 * @property reason the network or TLS error.
 * @property attempts how often the call was tried.
 */
public class ConnectionException(message: String, call: String, public val reason: String, public val attempts: Int) :
    ProxyMeshException(message, call)

/**
 * The service reported success, but the response is not what the call promises. For a write, this also means that the SDK looked up the
 * result, and the write was not carried out. If the SDK cannot tell, the write ends with [OutcomeUnknownException].
 *
 * @property status the HTTP status.
 * @property reason what is wrong with the response.
 * @property body the first 4 KiB of the response.
 */
public class DecodeException(
    message: String,
    call: String,
    public val status: Int,
    public val reason: String,
    public val body: String,
) : ProxyMeshException(message, call)

/**
 * A write was sent, and no readable response came back. You have to find out whether it was carried out; [recoveryHint] says how.
 *
 * @property reason what happened instead of a response.
 * @property recoveryHint how to find out.
 */
public class OutcomeUnknownException(message: String, call: String, public val reason: String, public val recoveryHint: String) :
    ProxyMeshException(message, call)

/** The SDK itself failed. This is a bug; please report it. The client still works. */
public class InternalException(message: String) : ProxyMeshException(message, null)

/**
 * What the service said when it refused a call: the fields of a [StatusException].
 *
 * @property call the call, such as `ips.add`.
 * @property status the HTTP status.
 * @property reason why the service refused, in one line.
 * @property fieldErrors the reasons for each form field, if the service names fields.
 * @property body the first 4 KiB of the response.
 * @property retryAfter how long the service asks to wait, if it does.
 * @property attempts how often the call was tried.
 */
public class Refusal
    @JvmOverloads
    public constructor(
        public val call: String,
        public val status: Int,
        public val reason: String,
        public val fieldErrors: Map<String, List<String>> = emptyMap(),
        public val body: String = "",
        public val retryAfter: Duration? = null,
        public val attempts: Int = 1,
    ) : Serializable

private fun FfiRefusal.fromFfi() =
    Refusal(call, status, reason, fieldErrors.toSortedMap(), body, retryAfter?.let(::duration), attempts)

/** The public exception for an error of the native library. The kinds, fields and texts are the core's. */
internal fun Failure.fromFfi(): ProxyMeshException =
    when (this) {
        is Failure.Config -> ConfigException(text, reason)
        is Failure.Validation -> ValidationException(text, field, reason)
        is Failure.BasicAuthRequired -> BasicAuthRequiredException(text, call)
        is Failure.AuthenticationBlocked -> AuthenticationBlockedException(text, call, duration(retryAfter))
        is Failure.Authentication -> AuthenticationException(text, refusal.fromFfi())
        is Failure.BadRequest -> BadRequestException(text, refusal.fromFfi())
        is Failure.PlanLimit -> PlanLimitException(text, refusal.fromFfi())
        is Failure.PermissionDenied -> PermissionDeniedException(text, refusal.fromFfi())
        is Failure.NotFound -> NotFoundException(text, refusal.fromFfi())
        is Failure.RateLimited -> RateLimitedException(text, refusal.fromFfi())
        is Failure.Server -> ServerException(text, refusal.fromFfi())
        is Failure.UnexpectedStatus -> UnexpectedStatusException(text, refusal.fromFfi())
        is Failure.Timeout -> TimeoutException(text, call, reason, attempts)
        is Failure.Connection -> ConnectionException(text, call, reason, attempts)
        is Failure.Decode -> DecodeException(text, call, status, reason, body)
        is Failure.OutcomeUnknown -> OutcomeUnknownException(text, call, reason, recoveryHint)
        is Failure.Internal -> InternalException(text)
        // Only a cancelled coroutine aborts a call, and it ends with CancellationException anyway.
        is Failure.Aborted -> InternalException(text)
    }
