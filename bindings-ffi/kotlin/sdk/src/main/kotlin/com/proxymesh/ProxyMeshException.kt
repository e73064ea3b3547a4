package com.proxymesh

import java.io.Serializable
import java.time.Duration
import com.proxymesh.internal.Failure
import com.proxymesh.internal.Refusal as CrossingRefusal

/**
 * Why a call did not give its answer. The message is a sentence a person can act on, the same in every language of the SDK. No
 * exception ever holds a password or a token.
 *
 * The subclasses are all there are, so that `when` can be exhaustive. They are unchecked, because Kotlin has no other kind, and
 * because every call can fail: Java code catches them where it can do something about them.
 *
 * Tests of yours can make any of them, as a call would throw it: `RateLimitedException("…", Refusal("ips.add", 429, "slow down"))`.
 *
 * A cancelled coroutine is none of these: it ends with `CancellationException`, as any does.
 *
 * @property call the call that failed, such as `ips.add`; null for a setting or an input.
 */
public sealed class ProxyMeshException(message: String, public val call: String?) : RuntimeException(message)

/**
 * The client cannot be made or used as asked: a bad base URL, missing or contradictory credentials, plain http to a host that is
 * not loopback, an unusable setting, a closed client; or the native library cannot be loaded here, and the message says why.
 *
 * @property reason what is wrong.
 */
public class ConfigException(message: String, public val reason: String) :
    ProxyMeshException(message, null)

/**
 * An input breaks a rule of the service; nothing was sent.
 *
 * @property field the parameter, by its name in the API; `text` where it is some text that is no Unicode.
 * @property reason which rule it breaks.
 */
public class ValidationException(message: String, public val field: String, public val reason: String) :
    ProxyMeshException(message, null) {
        internal constructor(field: String, reason: String) : this("$field: $reason", field, reason)
    }

/** A token call was made with a token; nothing was sent. These calls take the username and password only. */
public class BasicAuthRequiredException(message: String, call: String) :
    ProxyMeshException(message, call)

/**
 * The service has refused the credentials too often; nothing was sent. Four failures ban the account for three hours, so the
 * client stops before that.
 *
 * @property retryAfter how long until the next attempt is let through.
 */
public class AuthenticationBlockedException(message: String, call: String, public val retryAfter: Duration) :
    ProxyMeshException(message, call)

/**
 * The service answered, and refused. The subclasses tell why.
 *
 * @property refusal what it said.
 */
public sealed class StatusException(message: String, public val refusal: Refusal) :
    ProxyMeshException(message, refusal.call) {
    /** The HTTP status. */
    public val status: Int get() = refusal.status

    /** Why, in one line. */
    public val reason: String get() = refusal.reason

    /** Reasons per form field, where the service names fields. */
    public val fieldErrors: Map<String, List<String>> get() = refusal.fieldErrors

    /** The answer's first 4 KiB. */
    public val body: String get() = refusal.body

    /** How long the service asks to wait, if it does. */
    public val retryAfter: Duration? get() = refusal.retryAfter

    /** How often the call was tried; 0 where it was not sent, because another one was refused the same credentials. */
    public val attempts: Int get() = refusal.attempts
}

/** 401: the service does not accept the credentials, or has banned the caller. Never sent again. */
public class AuthenticationException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 400: invalid or contradictory input. */
public class BadRequestException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 402: the plan does not allow it. */
public class PlanLimitException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 403: not yours, or only the parent account may. */
public class PermissionDeniedException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 404: there is no such thing. */
public class NotFoundException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 429: too many requests; [retryAfter] says how long to wait, where the service does. */
public class RateLimitedException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** 5xx: the service's own trouble. */
public class ServerException(message: String, refusal: Refusal) : StatusException(message, refusal)

/** Any other status, redirects included: they are never followed. */
public class UnexpectedStatusException(message: String, refusal: Refusal) : StatusException(message, refusal)

/**
 * No answer within the time limit.
 *
 * @property reason what was waited for, and for how long.
 * @property attempts how often the call was tried.
 */
public class TimeoutException(message: String, call: String, public val reason: String, public val attempts: Int) :
    ProxyMeshException(message, call)

/**
 * No connection, or one that broke: DNS, refused, reset, TLS.
 *
 * @property reason what the network or TLS said.
 * @property attempts how often the call was tried.
 */
public class ConnectionException(message: String, call: String, public val reason: String, public val attempts: Int) :
    ProxyMeshException(message, call)

/**
 * The service answered with success, but not with what the call promises. Of a write it says that it was looked up, and was not
 * carried out; where that is not known, the write ends as [OutcomeUnknownException].
 *
 * @property status the HTTP status.
 * @property reason what is wrong with the answer.
 * @property body the answer's first 4 KiB.
 */
public class DecodeException(
    message: String,
    call: String,
    public val status: Int,
    public val reason: String,
    public val body: String,
) : ProxyMeshException(message, call)

/**
 * A write went out, and no answer came, or none that can be read. Whether it was carried out has to be looked up.
 *
 * @property reason what happened instead of an answer.
 * @property advice how to find out.
 */
public class OutcomeUnknownException(message: String, call: String, public val reason: String, public val advice: String) :
    ProxyMeshException(message, call)

/** The SDK itself failed, which is a bug to report. The client goes on working. */
public class InternalException(message: String) : ProxyMeshException(message, null)

/**
 * What the service said when it refused a call: the fields of a [StatusException].
 *
 * @property call the call, such as `ips.add`.
 * @property status the HTTP status.
 * @property reason why, in one line.
 * @property fieldErrors reasons per form field, where the service names fields.
 * @property body the answer's first 4 KiB.
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

private fun CrossingRefusal.translated() =
    Refusal(call, status, reason, fieldErrors.toSortedMap(), body, retryAfter?.let(::duration), attempts)

/** What crosses from the native library, as the public classes have it: the kinds, the fields and the text are the core's. */
internal fun Failure.translated(): ProxyMeshException =
    when (this) {
        is Failure.Config -> ConfigException(text, reason)
        is Failure.Validation -> ValidationException(text, field, reason)
        is Failure.BasicAuthRequired -> BasicAuthRequiredException(text, call)
        is Failure.AuthenticationBlocked -> AuthenticationBlockedException(text, call, duration(retryAfter))
        is Failure.Authentication -> AuthenticationException(text, refusal.translated())
        is Failure.BadRequest -> BadRequestException(text, refusal.translated())
        is Failure.PlanLimit -> PlanLimitException(text, refusal.translated())
        is Failure.PermissionDenied -> PermissionDeniedException(text, refusal.translated())
        is Failure.NotFound -> NotFoundException(text, refusal.translated())
        is Failure.RateLimited -> RateLimitedException(text, refusal.translated())
        is Failure.Server -> ServerException(text, refusal.translated())
        is Failure.UnexpectedStatus -> UnexpectedStatusException(text, refusal.translated())
        is Failure.Timeout -> TimeoutException(text, call, reason, attempts)
        is Failure.Connection -> ConnectionException(text, call, reason, attempts)
        is Failure.Decode -> DecodeException(text, call, status, reason, body)
        is Failure.OutcomeUnknown -> OutcomeUnknownException(text, call, reason, advice)
        is Failure.Internal -> InternalException(text)
        // A coroutine that is cancelled ends by itself; nothing else aborts a call here.
        is Failure.Aborted -> InternalException(text)
    }
