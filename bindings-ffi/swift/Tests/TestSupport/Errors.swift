import ProxyMesh

extension ProxyMeshError {
    /// Everything in the error except its text, with the names of the conformance cases. The `switch` is exhaustive.
    package var fields: [String: JSON] {
        func seconds(_ duration: Duration?) -> JSON { duration.map { JSON($0 / .seconds(1)) } ?? .null }
        switch self {
        case .config(let error):
            return ["call": .null, "reason": .text(error.reason)]
        case .validation(let error):
            return ["call": .null, "field": .text(error.field), "reason": .text(error.reason)]
        case .basicAuthRequired(let error):
            return ["call": .text(error.call)]
        case .authenticationBlocked(let error):
            return ["call": .text(error.call), "retry_after": seconds(error.retryAfter)]
        case .authentication(let error), .badRequest(let error), .planLimit(let error), .permissionDenied(let error),
            .notFound(let error), .rateLimited(let error), .server(let error), .unexpectedStatus(let error):
            return [
                "call": .text(error.call),
                "status": .whole(Int64(error.status)),
                "reason": .text(error.reason),
                "field_errors": .object(error.fieldErrors.mapValues { .list($0.map(JSON.text)) }),
                "body": .text(error.body),
                "retry_after": seconds(error.retryAfter),
                "attempts": .whole(Int64(error.attempts)),
            ]
        case .timeout(let error), .connection(let error):
            return ["call": .text(error.call), "reason": .text(error.reason), "attempts": .whole(Int64(error.attempts))]
        case .decode(let error):
            return [
                "call": .text(error.call), "status": .whole(Int64(error.status)), "reason": .text(error.reason),
                "body": .text(error.body),
            ]
        case .poolExhausted(let error):
            return ["call": .null, "reason": .text(error.reason), "retry_after": seconds(error.retryAfter)]
        case .outcomeUnknown(let error):
            return ["call": .text(error.call), "reason": .text(error.reason), "recovery_hint": .text(error.recoveryHint)]
        case .internalError:
            return [:]
        }
    }
}
