import Foundation
internal import ProxyMeshInternal

/// An error of the SDK.
///
/// ```swift
/// do {
///     try await client.ips.add("203.0.113.7")
/// } catch ProxyMeshError.rateLimited(let refusal) {
///     print("try again in", refusal.retryAfter ?? .seconds(60))
/// } catch let error as ProxyMeshError {
///     print(error)   // what went wrong, and what to do
/// }
/// ```
///
/// The text (`description`, `localizedDescription`) says what went wrong and what to do. It is the same in every language of the
/// SDK. No error ever contains a password or a token. New versions may add cases, so give every `switch` a `default`.
public enum ProxyMeshError: Error, Sendable, Hashable {
    /// The client cannot be created or used: the base URL is invalid, credentials are missing, invalid or contradictory, another
    /// setting is invalid, or the client is closed. The text says which.
    case config(Config)
    /// An input is invalid. Nothing was sent.
    case validation(Validation)
    /// A client with a token made a token call. Nothing was sent. The token calls require the parent account's username and
    /// password.
    case basicAuthRequired(BasicAuthRequired)
    /// Too many authentications have failed in the last five minutes: two with these credentials, or three in this process.
    /// Nothing was sent. Four failures ban the caller for three hours, so the client stops before that.
    case authenticationBlocked(AuthenticationBlocked)
    /// 401: the service rejected the credentials, or has banned the caller. The call is never retried.
    case authentication(Refusal)
    /// 400: invalid or contradictory input.
    case badRequest(Refusal)
    /// 402: the plan does not allow this.
    case planLimit(Refusal)
    /// 403: the resource is not yours, or only the parent account may do this.
    case permissionDenied(Refusal)
    /// 404: the resource does not exist.
    case notFound(Refusal)
    /// 429: too many requests. If the service says how long to wait, `retryAfter` is set.
    case rateLimited(Refusal)
    /// 5xx: a server error.
    case server(Refusal)
    /// Any other status, including redirects (3xx), which are never followed.
    case unexpectedStatus(Refusal)
    /// No response arrived within the time limit, or another process held the lock of `withAuthorizedIP` for too long.
    case timeout(NoAnswer)
    /// The client could not connect, or the connection broke: for example, a DNS or TLS error, or a refused or reset connection.
    case connection(NoAnswer)
    /// The service reported success, but the client could not read the response. If the call was a write, the client has looked
    /// it up, and it was not carried out. If the client cannot find that out, the error is ``outcomeUnknown(_:)`` instead.
    case decode(Decode)
    /// A pool has no proxy to hand out: all are cooling down after failures, or the account has no authorised proxy.
    case poolExhausted(PoolExhausted)
    /// A write was sent, but it is unknown whether it was carried out. `recoveryHint` says how to find out.
    case outcomeUnknown(OutcomeUnknown)
    /// The SDK itself failed. This is a bug, so please report it. The client still works.
    case internalError(InternalError)

    /// What is wrong with the client or its settings.
    public struct Config: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// What is wrong.
        public let reason: String

        /// Creates an error as a call would throw it, for your own tests.
        public init(text: String, reason: String) {
            self.text = text
            self.reason = reason
        }
    }

    /// The input that was refused, and why.
    public struct Validation: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The parameter's name in the API, such as `monthly_limit`.
        public let field: String
        /// Why the input is invalid.
        public let reason: String

        /// Creates an error as a call would throw it, for your own tests.
        public init(text: String, field: String, reason: String) {
            self.text = text
            self.field = field
            self.reason = reason
        }
    }

    /// The call that needs the username and password.
    public struct BasicAuthRequired: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `tokens.list`.
        public let call: String

        /// Creates an error as a call would throw it, for your own tests.
        public init(text: String, call: String) {
            self.text = text
            self.call = call
        }
    }

    /// The call that was blocked, and for how long.
    public struct AuthenticationBlocked: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `ips.list`.
        public let call: String
        /// How long until the next attempt is allowed.
        public let retryAfter: Duration

        /// Creates an error as a call would throw it, for your own tests.
        public init(text: String, call: String, retryAfter: Duration) {
            self.text = text
            self.call = call
            self.retryAfter = retryAfter
        }
    }

    /// What the service said when it refused a call.
    public struct Refusal: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `ips.add`.
        public let call: String
        /// The HTTP status.
        public let status: Int
        /// Why the service refused the call, in one line. This is the reason in the response, or else what the status means for
        /// this call.
        public let reason: String
        /// The reasons for each form field, if the response names fields.
        public let fieldErrors: [String: [String]]
        /// The first 4 KiB of the response, as text.
        public let body: String
        /// How long the service asks you to wait, if it does.
        public let retryAfter: Duration?
        /// How many times the call was tried. 0 if it was not sent, because the service rejected the same credentials for another
        /// call.
        public let attempts: Int

        /// Creates an error as a call would throw it, for your own tests.
        public init(
            text: String, call: String, status: Int, reason: String, fieldErrors: [String: [String]] = [:], body: String = "",
            retryAfter: Duration? = nil, attempts: Int = 1
        ) {
            self.text = text
            self.call = call
            self.status = status
            self.reason = reason
            self.fieldErrors = fieldErrors
            self.body = body
            self.retryAfter = retryAfter
            self.attempts = attempts
        }
    }

    /// Why no response arrived.
    public struct NoAnswer: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `geo.open`.
        public let call: String
        /// What the call waited for, and for how long. For a failed connection, the error of the network or of TLS.
        public let reason: String
        /// How many times the call was tried; 0 if it was not sent.
        public let attempts: Int

        /// Creates an error as a call would throw it, for your own tests.
        public init(text: String, call: String, reason: String, attempts: Int = 1) {
            self.text = text
            self.call = call
            self.reason = reason
            self.attempts = attempts
        }
    }

    /// The response that could not be read.
    public struct Decode: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `geo.open`.
        public let call: String
        /// The HTTP status.
        public let status: Int
        /// What is wrong with the response.
        public let reason: String
        /// The first 4 KiB of the response, as text.
        public let body: String

        /// Creates an error as a call would throw it, for your own tests.
        public init(text: String, call: String, status: Int, reason: String, body: String = "") {
            self.text = text
            self.call = call
            self.status = status
            self.reason = reason
            self.body = body
        }
    }

    /// Why a pool has no proxy, and how long that will last.
    public struct PoolExhausted: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// Why there is none.
        public let reason: String
        /// How long until the first proxy has cooled down; zero if the account has no authorised proxy.
        public let retryAfter: Duration

        /// Creates an error as a call would throw it, for your own tests.
        public init(text: String, reason: String, retryAfter: Duration) {
            self.text = text
            self.reason = reason
            self.retryAfter = retryAfter
        }
    }

    /// The write that may or may not have been carried out.
    public struct OutcomeUnknown: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `sub_accounts.create`.
        public let call: String
        /// Why it is unknown, such as a time-out or a server error.
        public let reason: String
        /// How to find out whether the write was carried out.
        public let recoveryHint: String

        /// Creates an error as a call would throw it, for your own tests.
        public init(text: String, call: String, reason: String, recoveryHint: String) {
            self.text = text
            self.call = call
            self.reason = reason
            self.recoveryHint = recoveryHint
        }
    }

    /// How the SDK failed.
    public struct InternalError: Sendable, Hashable {
        /// The error's text.
        public let text: String

        /// Creates an error as a call would throw it, for your own tests.
        public init(text: String) {
            self.text = text
        }
    }
}

extension ProxyMeshError {
    /// The kinds of errors. Their names are the same in every language of the SDK.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// ``ProxyMeshError/config(_:)``
        case config = "Config"
        /// ``ProxyMeshError/validation(_:)``
        case validation = "Validation"
        /// ``ProxyMeshError/basicAuthRequired(_:)``
        case basicAuthRequired = "BasicAuthRequired"
        /// ``ProxyMeshError/authenticationBlocked(_:)``
        case authenticationBlocked = "AuthenticationBlocked"
        /// ``ProxyMeshError/authentication(_:)``
        case authentication = "Authentication"
        /// ``ProxyMeshError/badRequest(_:)``
        case badRequest = "BadRequest"
        /// ``ProxyMeshError/planLimit(_:)``
        case planLimit = "PlanLimit"
        /// ``ProxyMeshError/permissionDenied(_:)``
        case permissionDenied = "PermissionDenied"
        /// ``ProxyMeshError/notFound(_:)``
        case notFound = "NotFound"
        /// ``ProxyMeshError/rateLimited(_:)``
        case rateLimited = "RateLimited"
        /// ``ProxyMeshError/server(_:)``
        case server = "Server"
        /// ``ProxyMeshError/unexpectedStatus(_:)``
        case unexpectedStatus = "UnexpectedStatus"
        /// ``ProxyMeshError/timeout(_:)``
        case timeout = "Timeout"
        /// ``ProxyMeshError/connection(_:)``
        case connection = "Connection"
        /// ``ProxyMeshError/decode(_:)``
        case decode = "Decode"
        /// ``ProxyMeshError/poolExhausted(_:)``
        case poolExhausted = "PoolExhausted"
        /// ``ProxyMeshError/outcomeUnknown(_:)``
        case outcomeUnknown = "OutcomeUnknown"
        /// ``ProxyMeshError/internalError(_:)``
        case internalError = "Internal"
    }

    /// The kind of the error, without its details.
    public var kind: Kind {
        switch self {
        case .config: .config
        case .validation: .validation
        case .basicAuthRequired: .basicAuthRequired
        case .authenticationBlocked: .authenticationBlocked
        case .authentication: .authentication
        case .badRequest: .badRequest
        case .planLimit: .planLimit
        case .permissionDenied: .permissionDenied
        case .notFound: .notFound
        case .rateLimited: .rateLimited
        case .server: .server
        case .unexpectedStatus: .unexpectedStatus
        case .timeout: .timeout
        case .connection: .connection
        case .decode: .decode
        case .poolExhausted: .poolExhausted
        case .outcomeUnknown: .outcomeUnknown
        case .internalError: .internalError
        }
    }

    /// What the service said, if it refused the call with a status.
    public var refusal: Refusal? {
        switch self {
        case .authentication(let refusal), .badRequest(let refusal), .planLimit(let refusal), .permissionDenied(let refusal),
            .notFound(let refusal), .rateLimited(let refusal), .server(let refusal), .unexpectedStatus(let refusal):
            refusal
        default: nil
        }
    }

    /// The call that failed, such as `ips.add`; `nil` if a setting or an input is invalid, if a pool has no proxy, or if the SDK
    /// itself failed.
    public var call: String? {
        switch self {
        case .basicAuthRequired(let error): error.call
        case .authenticationBlocked(let error): error.call
        case .timeout(let error), .connection(let error): error.call
        case .decode(let error): error.call
        case .outcomeUnknown(let error): error.call
        default: refusal?.call
        }
    }

    /// The HTTP status, if the error is about a response.
    public var status: Int? {
        if case .decode(let error) = self { error.status } else { refusal?.status }
    }

    /// The reason alone, without the call and the kind.
    public var reason: String? {
        switch self {
        case .config(let error): error.reason
        case .validation(let error): error.reason
        case .timeout(let error), .connection(let error): error.reason
        case .decode(let error): error.reason
        case .poolExhausted(let error): error.text
        case .outcomeUnknown(let error): error.reason
        default: refusal?.reason
        }
    }

    /// The first 4 KiB of the response, as text, if the error is about a response.
    public var body: String? {
        if case .decode(let error) = self { error.body } else { refusal?.body }
    }

    /// How long to wait before trying again, if known.
    public var retryAfter: Duration? {
        switch self {
        case .authenticationBlocked(let error): error.retryAfter
        case .poolExhausted(let error): error.retryAfter
        default: refusal?.retryAfter
        }
    }

    /// How many times the call was tried, if known.
    public var attempts: Int? {
        switch self {
        case .timeout(let error), .connection(let error): error.attempts
        default: refusal?.attempts
        }
    }
}

extension ProxyMeshError: CustomStringConvertible, LocalizedError {
    /// What went wrong and what to do.
    public var description: String {
        switch self {
        case .config(let error): error.text
        case .validation(let error): error.text
        case .basicAuthRequired(let error): error.text
        case .authenticationBlocked(let error): error.text
        case .authentication(let refusal), .badRequest(let refusal), .planLimit(let refusal), .permissionDenied(let refusal),
            .notFound(let refusal), .rateLimited(let refusal), .server(let refusal), .unexpectedStatus(let refusal):
            refusal.text
        case .timeout(let error), .connection(let error): error.text
        case .decode(let error): error.text
        case .poolExhausted(let error): error.text
        case .outcomeUnknown(let error): error.text
        case .internalError(let error): error.text
        }
    }

    /// The same text, for `localizedDescription`.
    public var errorDescription: String? { description }
}

extension ProxyMeshError {
    /// Runs `body`. Turns the errors of the internal module into those of this module.
    static func rethrowing<Given>(_ body: () throws -> Given) throws(ProxyMeshError) -> Given {
        do {
            return try body()
        } catch {
            throw ProxyMeshError(error)
        }
    }

    /// Converts an error of the internal module.
    init(_ error: any Error) {
        guard let failure = error as? Failure else {
            // An answer that cannot be read.
            self = .internalError(.init(text: "internal error in the ProxyMesh library, please report it: \(error)"))
            return
        }
        switch failure {
        case .config(let text, let reason):
            self = .config(.init(text: text, reason: reason))
        case .validation(let text, let field, let reason):
            self = .validation(.init(text: text, field: field, reason: reason))
        case .basicAuthRequired(let text, let call):
            self = .basicAuthRequired(.init(text: text, call: call))
        case .authenticationBlocked(let text, let call, let retryAfter):
            self = .authenticationBlocked(.init(text: text, call: call, retryAfter: Duration(inSeconds: retryAfter)))
        case .authentication(let text, let refusal):
            self = .authentication(Refusal(text, refusal))
        case .badRequest(let text, let refusal):
            self = .badRequest(Refusal(text, refusal))
        case .planLimit(let text, let refusal):
            self = .planLimit(Refusal(text, refusal))
        case .permissionDenied(let text, let refusal):
            self = .permissionDenied(Refusal(text, refusal))
        case .notFound(let text, let refusal):
            self = .notFound(Refusal(text, refusal))
        case .rateLimited(let text, let refusal):
            self = .rateLimited(Refusal(text, refusal))
        case .server(let text, let refusal):
            self = .server(Refusal(text, refusal))
        case .unexpectedStatus(let text, let refusal):
            self = .unexpectedStatus(Refusal(text, refusal))
        case .timeout(let text, let call, let reason, let attempts):
            self = .timeout(.init(text: text, call: call, reason: reason, attempts: Int(attempts)))
        case .connection(let text, let call, let reason, let attempts):
            self = .connection(.init(text: text, call: call, reason: reason, attempts: Int(attempts)))
        case .decode(let text, let call, let status, let reason, let body):
            self = .decode(.init(text: text, call: call, status: Int(status), reason: reason, body: body))
        case .poolExhausted(let text, let reason, let retryAfter):
            self = .poolExhausted(.init(text: text, reason: reason, retryAfter: Duration(inSeconds: retryAfter)))
        case .outcomeUnknown(let text, let call, let reason, let recoveryHint):
            self = .outcomeUnknown(.init(text: text, call: call, reason: reason, recoveryHint: recoveryHint))
        case .aborted(let text), .internal(let text):
            // An async call has already turned `aborted` into a CancellationError.
            self = .internalError(.init(text: text))
        }
    }
}

extension ProxyMeshError.Refusal {
    fileprivate init(_ text: String, _ given: ProxyMeshInternal.Refusal) {
        self.init(
            text: text,
            call: given.call,
            status: Int(given.status),
            reason: given.reason,
            fieldErrors: given.fieldErrors,
            body: given.body,
            retryAfter: given.retryAfter.map(Duration.init(inSeconds:)),
            attempts: Int(given.attempts))
    }
}
