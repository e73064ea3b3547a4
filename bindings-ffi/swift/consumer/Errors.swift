import ProxyMesh

/// Creates every error, as a user's own tests would.
@main
struct Errors {
    struct Wrong: Error {
        let error: ProxyMeshError
    }

    static func main() throws {
        let brief = ProxyMeshError.Refusal(text: "text", call: "ips.add", status: 429, reason: "slow down")
        let refusal = ProxyMeshError.Refusal(
            text: "text", call: "ips.add", status: 400, reason: "invalid", fieldErrors: ["ip": ["taken"]], body: "{}",
            retryAfter: .seconds(7), attempts: 3)
        let made: [ProxyMeshError] = [
            .config(.init(text: "text", reason: "no credentials")),
            .validation(.init(text: "text", field: "label", reason: "too long")),
            .basicAuthRequired(.init(text: "text", call: "tokens.list")),
            .authenticationBlocked(.init(text: "text", call: "ips.list", retryAfter: .seconds(300))),
            .authentication(brief), .badRequest(refusal), .planLimit(brief), .permissionDenied(brief), .notFound(brief),
            .rateLimited(brief), .server(brief), .unexpectedStatus(brief),
            .timeout(.init(text: "text", call: "geo.open", reason: "no answer within 30 s", attempts: 3)),
            .connection(.init(text: "text", call: "geo.open", reason: "refused")),
            .decode(.init(text: "text", call: "geo.open", status: 200, reason: "no JSON", body: "<html>")),
            .poolExhausted(.init(text: "text", reason: "all are cooling down", retryAfter: .seconds(60))),
            .outcomeUnknown(.init(text: "text", call: "tokens.create", reason: "no answer", recoveryHint: "list the tokens")),
            .internalError(.init(text: "text")),
        ]
        for error in made {
            do {
                throw error
            } catch ProxyMeshError.badRequest(let caught) {
                guard caught == refusal, error.retryAfter == .seconds(7), error.attempts == 3 else { throw Wrong(error: error) }
            } catch let caught as ProxyMeshError {
                guard caught == error, "\(caught)" == "text" else { throw Wrong(error: error) }
            }
        }
        guard made.map(\.kind) == ProxyMeshError.Kind.allCases else { throw Wrong(error: made[0]) }
        print("made \(made.count) errors")
    }
}
