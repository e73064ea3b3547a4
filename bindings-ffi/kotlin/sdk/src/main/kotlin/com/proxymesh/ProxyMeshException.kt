package com.proxymesh

import java.io.Serializable
import java.time.Duration
import com.proxymesh.internal.Failure
import com.proxymesh.internal.Refusal as FfiRefusal

/**
 * The base class of the SDK's exceptions. The message says what went wrong and what to do. It is the same in every language of the SDK.
 * No exception ever contains a password or a token.
 *
 * The class is sealed, so a `when` can be exhaustive. The exceptions are unchecked, because Kotlin has no other kind and because every
 * call can fail. In Java, catch them where you can handle them.
 *
 * Your own tests can create any of them as a call would throw it: `RateLimitedException("…", Refusal("ips.add", 429, "slow down"))`.
 *
 * A call that is cancelled or interrupted throws none of these. It ends with `CancellationException`.
 *
 * @property call the call that failed, such as `ips.add`; null if a setting or an input is invalid, if a pool has no proxy, or if the SDK
 *   itself failed.
 */
public sealed class ProxyMeshException(message: String, public val call: String?) : RuntimeException(message)

/**
 * The client cannot be created or used: the base URL is invalid, credentials are missing, invalid or contradictory, another setting is
 * invalid, the client is closed, or the native library cannot be loaded. The message says which.
 *
 * @property reason what is wrong.
 */
public class ConfigException(message: String, public val reason: String) :
    ProxyMeshException(message, null)

/**
 * An input is invalid. Nothing was sent.
 *
 * @property field the parameter's name in the API, such as `monthly_limit`; `text` if a string is not valid Unicode.
 * @property reason why the input is invalid.
 */
public class ValidationException(message: String, public val field: String, public val reason: String) :
    ProxyMeshException(message, null) {
        internal constructor(field: String, reason: String) : this("$field: $reason", field, reason)
    }

/** A client with a token made a token call. Nothing was sent. The token calls require the parent account's username and password. */
public class BasicAuthRequiredException(message: String, call: String) :
    ProxyMeshException(message, call)

/**
 * Too many authentications have failed in the last five minutes: two with these credentials, or three in this process. Nothing was
 * sent. Four failures ban the caller for three hours, so the client stops before that.
 *
 * @property retryAfter how long until the next attempt is allowed.
 */
public class AuthenticationBlockedException(message: String, call: String, public val retryAfter: Duration) :
    ProxyMeshException(message, call)

/**
 * The service refused the call. The subclass says why.
 *
 * @property refusal what the service said.
 */
public sealed class StatusException(message: String, public val refusal: Refusal) :
    ProxyMeshException(message, refusal.call) {
    /** The HTTP status. */
    public val status: Int get() = refusal.status

    /** Why the service refused the call, in one line. This is the reason in the response, or else what the status means for this call. */
    public val reason: String get() = refusal.reason

    /** The reasons for each form field, if the response names fields. */
    public val fieldErrors: Map<String, List<String>> get() = refusal.fieldErrors

    /** The first 4 KiB of the response, as text. */
    public val body: String get() = refusal.body

    /** How long the service asks you to wait, if it does. */
    public val retryAfter: Duration? get() = refusal.retryAfter

    /**
     * How many times the call was tried. 0 if it was not sent, because the service rejected the same credentials for another call.
     */
    public val attempts: Int get() = refusal.attempts
}

/** 401: the service rejected the credentials, or has banned the caller. The call is never retried. */
public class AuthenticationException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 400: invalid or contradictory input. */
public class BadRequestException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 402: the plan does not allow this. */
public class PlanLimitException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 403: the resource is not yours, or only the parent account may do this. */
public class PermissionDeniedException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 404: the resource does not exist. */
public class NotFoundException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 429: too many requests. If the service says how long to wait, [retryAfter] is set. */
public class RateLimitedException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 5xx: a server error. */
public class ServerException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** Any other status, including redirects (3xx), which are never followed. */
public class UnexpectedStatusException(message: String, refusal: Refusal) : StatusException(message, refusal)

/**
 * No response arrived within the time limit, or another process held the lock of `ips.authorized` for too long.
 *
 * @property reason what the call waited for, and for how long.
 * @property attempts how many times the call was tried; 0 if it was not sent.
 */
public class CallTimeoutException(message: String, call: String, public val reason: String, public val attempts: Int) :
    ProxyMeshException(message, call)

/**
 * The client could not connect, or the connection broke: for example, a DNS or TLS error, or a refused or reset connection.
 *
 * @property reason the error of the network or of TLS.
 * @property attempts how many times the call was tried; 0 if it was not sent.
 */
public class ConnectionException(message: String, call: String, public val reason: String, public val attempts: Int) :
    ProxyMeshException(message, call)

/**
 * The service reported success, but the client could not read the response. If the call was a write, the client has looked it up, and
 * it was not carried out. If the client cannot find that out, it throws [OutcomeUnknownException] instead.
 *
 * @property status the HTTP status.
 * @property reason what is wrong with the response.
 * @property body the first 4 KiB of the response, as text.
 */
public class DecodeException(
    message: String,
    call: String,
    public val status: Int,
    public val reason: String,
    public val body: String,
) : ProxyMeshException(message, call)

/**
 * A write was sent, but it is unknown whether it was carried out. [recoveryHint] says how to find out.
 *
 * @property reason why it is unknown, such as a time-out or a server error.
 * @property recoveryHint how to find out whether the write was carried out.
 */
public class OutcomeUnknownException(message: String, call: String, public val reason: String, public val recoveryHint: String) :
    ProxyMeshException(message, call)

/**
 * A pool has no proxy to hand out: all are cooling down after failures, or the account has no authorised proxy.
 *
 * @property reason why there is none.
 * @property retryAfter how long until the first proxy has cooled down; zero if the account has no authorised proxy.
 */
public class PoolExhaustedException(message: String, public val reason: String, public val retryAfter: Duration) :
    ProxyMeshException(message, null)

/** The SDK itself failed. This is a bug, so please report it. The client still works. */
public class InternalException(message: String) : ProxyMeshException(message, null)

/**
 * What the service said when it refused a call: the fields of a [StatusException].
 *
 * @property call the call, such as `ips.add`.
 * @property status the HTTP status.
 * @property reason why the service refused the call, in one line. This is the reason in the response, or else what the status means for
 *   this call.
 * @property fieldErrors the reasons for each form field, if the response names fields.
 * @property body the first 4 KiB of the response, as text.
 * @property retryAfter how long the service asks you to wait, if it does.
 * @property attempts how many times the call was tried. 0 if it was not sent, because the service rejected the same credentials for
 *   another call.
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
        is Failure.Timeout -> CallTimeoutException(text, call, reason, attempts)
        is Failure.Connection -> ConnectionException(text, call, reason, attempts)
        is Failure.Decode -> DecodeException(text, call, status, reason, body)
        is Failure.PoolExhausted -> PoolExhaustedException(text, reason, duration(retryAfter))
        is Failure.OutcomeUnknown -> OutcomeUnknownException(text, call, reason, recoveryHint)
        is Failure.Internal -> InternalException(text)
        // This does not happen: `translated` turns it into a CancellationException first.
        is Failure.Aborted -> InternalException(text)
    }
