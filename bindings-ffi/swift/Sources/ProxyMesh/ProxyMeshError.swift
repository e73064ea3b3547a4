import Foundation
internal import ProxyMeshInternal

/// Why a call did not give its answer.
///
/// ```swift
/// do {
///     try await client.ips.add("203.0.113.7")
/// } catch ProxyMeshError.rateLimited(let refusal) {
///     print("try again in", refusal.retryAfter ?? .seconds(60))
/// } catch let error as ProxyMeshError {
///     print(error)   // a sentence to act on
/// }
/// ```
///
/// The text (`description`, `localizedDescription`) is a sentence a person can act on, and holds no secret. New cases may come
/// with new versions: where you `switch`, have a `default`.
public enum ProxyMeshError: Error, Sendable, Hashable {
    /// The client cannot be made as asked, or is closed.
    case config(Config)
    /// An input breaks a rule of the service; nothing was sent.
    case validation(Validation)
    /// A token call was made with a token; nothing was sent. These calls take a username and password only.
    case basicAuthRequired(BasicAuthRequired)
    /// The service has refused the credentials too often; nothing was sent. Four failures ban the account for three hours,
    /// so the client stops before that.
    case authenticationBlocked(AuthenticationBlocked)
    /// 401: the service does not accept the credentials, or has banned the caller. Never retried.
    case authentication(Refusal)
    /// 400: invalid or contradictory input.
    case badRequest(Refusal)
    /// 402: the plan does not allow it.
    case planLimit(Refusal)
    /// 403: not yours, or only the parent account may.
    case permissionDenied(Refusal)
    /// 404: there is no such thing.
    case notFound(Refusal)
    /// 429: too many requests; `retryAfter` says how long to wait, where the service does.
    case rateLimited(Refusal)
    /// 5xx: the service's own trouble.
    case server(Refusal)
    /// Any other status, redirects (3xx) included: they are never followed.
    case unexpectedStatus(Refusal)
    /// No answer within the time limit.
    case timeout(NoAnswer)
    /// No connection, or one that broke: DNS, refused, reset, TLS.
    case connection(NoAnswer)
    /// The service answered with success, but not with what the call promises. Of a write it says that it was looked up, and was
    /// not carried out; where that is not known, the write ends as ``outcomeUnknown(_:)``.
    case decode(Decode)
    /// A write went out, and no answer came, or none that can be read. Whether it was carried out has to be looked up:
    /// `advice` says how.
    case outcomeUnknown(OutcomeUnknown)
    /// The library itself failed, which is a bug in it. The client goes on working.
    case internalError(InternalError)

    /// What is wrong with the settings.
    public struct Config: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// What is wrong.
        public let reason: String

        /// An error as a call would throw it, for tests of your own.
        public init(text: String, reason: String) {
            self.text = text
            self.reason = reason
        }
    }

    /// Which input was refused, and why.
    public struct Validation: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The parameter, by its name in the API, such as `monthly_limit`.
        public let field: String
        /// Which rule it breaks.
        public let reason: String

        /// An error as a call would throw it, for tests of your own.
        public init(text: String, field: String, reason: String) {
            self.text = text
            self.field = field
            self.reason = reason
        }
    }

    /// Which call takes no token.
    public struct BasicAuthRequired: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `tokens.list`.
        public let call: String

        /// An error as a call would throw it, for tests of your own.
        public init(text: String, call: String) {
            self.text = text
            self.call = call
        }
    }

    /// Which call was held back, and for how long.
    public struct AuthenticationBlocked: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `ips.list`.
        public let call: String
        /// When the next attempt is let through.
        public let retryAfter: Duration

        /// An error as a call would throw it, for tests of your own.
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
        /// Why, in one line: from the body where it says, else what the status means for this call.
        public let reason: String
        /// Reasons per form field, where the body names fields.
        public let fieldErrors: [String: [String]]
        /// The body's first 4 KiB, as text.
        public let body: String
        /// How long the service asks to wait.
        public let retryAfter: Duration?
        /// How often the call was tried.
        public let attempts: Int

        /// An error as a call would throw it, for tests of your own.
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

    /// Why no answer came.
    public struct NoAnswer: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `geo.open`.
        public let call: String
        /// What was waited for, and for how long; or what the network or TLS said.
        public let reason: String
        /// How often it was tried.
        public let attempts: Int

        /// An error as a call would throw it, for tests of your own.
        public init(text: String, call: String, reason: String, attempts: Int = 1) {
            self.text = text
            self.call = call
            self.reason = reason
            self.attempts = attempts
        }
    }

    /// Which answer cannot be read.
    public struct Decode: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `geo.open`.
        public let call: String
        /// The HTTP status.
        public let status: Int
        /// What is wrong with the answer.
        public let reason: String
        /// The answer's first 4 KiB, as text.
        public let body: String

        /// An error as a call would throw it, for tests of your own.
        public init(text: String, call: String, status: Int, reason: String, body: String = "") {
            self.text = text
            self.call = call
            self.status = status
            self.reason = reason
            self.body = body
        }
    }

    /// Which write may or may not have been carried out.
    public struct OutcomeUnknown: Sendable, Hashable {
        /// The error's text.
        public let text: String
        /// The call, such as `sub_accounts.create`.
        public let call: String
        /// What happened instead of an answer.
        public let reason: String
        /// How to find out.
        public let advice: String

        /// An error as a call would throw it, for tests of your own.
        public init(text: String, call: String, reason: String, advice: String) {
            self.text = text
            self.call = call
            self.reason = reason
            self.advice = advice
        }
    }

    /// How the library failed.
    public struct InternalError: Sendable, Hashable {
        /// The error's text.
        public let text: String

        /// An error as a call would throw it, for tests of your own.
        public init(text: String) {
            self.text = text
        }
    }
}

extension ProxyMeshError {
    /// The kinds of errors, by the names that they have in every language.
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
        /// ``ProxyMeshError/outcomeUnknown(_:)``
        case outcomeUnknown = "OutcomeUnknown"
        /// ``ProxyMeshError/internalError(_:)``
        case internalError = "Internal"
    }

    /// The case without what it holds: for metrics, and for tables of your own.
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
        case .outcomeUnknown: .outcomeUnknown
        case .internalError: .internalError
        }
    }

    /// What the service said, where it refused the call with a status.
    public var refusal: Refusal? {
        switch self {
        case .authentication(let refusal), .badRequest(let refusal), .planLimit(let refusal), .permissionDenied(let refusal),
            .notFound(let refusal), .rateLimited(let refusal), .server(let refusal), .unexpectedStatus(let refusal):
            refusal
        default: nil
        }
    }

    /// The call that failed, such as `ips.add`; `nil` for a setting or an input.
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

    /// The HTTP status, where the service answered.
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
        case .outcomeUnknown(let error): error.reason
        default: refusal?.reason
        }
    }

    /// The answer's first 4 KiB, where the service answered.
    public var body: String? {
        if case .decode(let error) = self { error.body } else { refusal?.body }
    }

    /// How long to wait before trying again, where that is known.
    public var retryAfter: Duration? {
        if case .authenticationBlocked(let error) = self { error.retryAfter } else { refusal?.retryAfter }
    }

    /// How often the call was tried, where that is known.
    public var attempts: Int? {
        switch self {
        case .timeout(let error), .connection(let error): error.attempts
        default: refusal?.attempts
        }
    }
}

extension ProxyMeshError: CustomStringConvertible, LocalizedError {
    /// A sentence a person can act on.
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
        case .outcomeUnknown(let error): error.text
        case .internalError(let error): error.text
        }
    }

    /// The same, for `localizedDescription`.
    public var errorDescription: String? { description }
}

extension ProxyMeshError {
    /// Does what may throw the plumbing's errors, which become those of this module.
    static func rethrowing<Given>(_ body: () throws -> Given) throws(ProxyMeshError) -> Given {
        do {
            return try body()
        } catch {
            throw ProxyMeshError(error)
        }
    }

    /// Whatever the plumbing throws.
    init(_ error: any Error) {
        guard let failure = error as? Failure else {
            // UniFFI's own, such as one about a panic that got past the core.
            self = .internalError(.init(text: "internal error of the ProxyMesh library, please report it: \(error)"))
            return
        }
        switch failure {
        case .Config(let text, let reason):
            self = .config(.init(text: text, reason: reason))
        case .Validation(let text, let field, let reason):
            self = .validation(.init(text: text, field: field, reason: reason))
        case .BasicAuthRequired(let text, let call):
            self = .basicAuthRequired(.init(text: text, call: call))
        case .AuthenticationBlocked(let text, let call, let retryAfter):
            self = .authenticationBlocked(.init(text: text, call: call, retryAfter: Duration(inSeconds: retryAfter)))
        case .Authentication(let text, let refusal):
            self = .authentication(Refusal(text, refusal))
        case .BadRequest(let text, let refusal):
            self = .badRequest(Refusal(text, refusal))
        case .PlanLimit(let text, let refusal):
            self = .planLimit(Refusal(text, refusal))
        case .PermissionDenied(let text, let refusal):
            self = .permissionDenied(Refusal(text, refusal))
        case .NotFound(let text, let refusal):
            self = .notFound(Refusal(text, refusal))
        case .RateLimited(let text, let refusal):
            self = .rateLimited(Refusal(text, refusal))
        case .Server(let text, let refusal):
            self = .server(Refusal(text, refusal))
        case .UnexpectedStatus(let text, let refusal):
            self = .unexpectedStatus(Refusal(text, refusal))
        case .Timeout(let text, let call, let reason, let attempts):
            self = .timeout(.init(text: text, call: call, reason: reason, attempts: Int(attempts)))
        case .Connection(let text, let call, let reason, let attempts):
            self = .connection(.init(text: text, call: call, reason: reason, attempts: Int(attempts)))
        case .Decode(let text, let call, let status, let reason, let body):
            self = .decode(.init(text: text, call: call, status: Int(status), reason: reason, body: body))
        case .OutcomeUnknown(let text, let call, let reason, let advice):
            self = .outcomeUnknown(.init(text: text, call: call, reason: reason, advice: advice))
        case .Aborted(let text), .Internal(let text):
            // An async call turns `Aborted` into a CancellationError before it comes here.
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
