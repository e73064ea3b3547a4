import Foundation
import ProxyMesh

/// A client of either kind, whose calls are made by name.
package protocol Account: Sendable {
    func call(_ arguments: Arguments) async throws -> JSON

    /// The same client with other options.
    func with(timeout: Duration?, maxRetries: Int?) throws -> any Account
}

/// The settings of a client in a test.
package struct Options {
    package var username: String?
    package var password: String?
    package var token: String?
    package var timeout: Duration?
    package var connectTimeout: Duration?
    package var maxRetries: Int?
    package var maxConnections: Int?
    package var caFile: URL?
    package var trustEnv = false
    package var shareState = true

    package init(password: String = credentials.password, timeout: Duration? = nil, maxRetries: Int? = nil) {
        username = credentials.username
        self.password = password
        (self.timeout, self.maxRetries) = (timeout, maxRetries)
    }

    package init(token: String) {
        self.token = token
    }

    /// No settings at all.
    package init(none: Void) {}
}

/// The kinds of clients.
package enum Way: CaseIterable, Sendable {
    case async
    case blocking

    package func open(_ baseURL: URL, _ options: Options = Options()) throws -> any Account {
        switch self {
        case .async: try Awaited(baseURL, options)
        case .blocking: try Blocked(baseURL, options)
        }
    }
}

/// The client with async calls.
package final class Awaited: Account {
    package let client: Client

    init(_ baseURL: URL, _ options: Options) throws {
        client = try Client(
            username: options.username, password: options.password, token: options.token, baseURL: baseURL,
            timeout: options.timeout, connectTimeout: options.connectTimeout, maxRetries: options.maxRetries,
            maxConnections: options.maxConnections, caFile: options.caFile, trustEnv: options.trustEnv,
            shareState: options.shareState)
    }

    private init(_ client: Client) {
        self.client = client
    }

    package func with(timeout: Duration?, maxRetries: Int?) throws -> any Account {
        Awaited(try client.withOptions(timeout: timeout, maxRetries: maxRetries))
    }

    package func call(_ arguments: Arguments) async throws -> JSON {
        let answer = try await client.make(arguments)
        try arguments.checkAllAsked()
        return answer
    }
}

/// The client with blocking calls.
package final class Blocked: Account {
    package let client: BlockingClient

    init(_ baseURL: URL, _ options: Options) throws {
        client = try BlockingClient(
            username: options.username, password: options.password, token: options.token, baseURL: baseURL,
            timeout: options.timeout, connectTimeout: options.connectTimeout, maxRetries: options.maxRetries,
            maxConnections: options.maxConnections, caFile: options.caFile, trustEnv: options.trustEnv,
            shareState: options.shareState)
    }

    private init(_ client: BlockingClient) {
        self.client = client
    }

    package func with(timeout: Duration?, maxRetries: Int?) throws -> any Account {
        Blocked(try client.withOptions(timeout: timeout, maxRetries: maxRetries))
    }

    package func call(_ arguments: Arguments) throws -> JSON {
        let answer = try client.make(arguments)
        try arguments.checkAllAsked()
        return answer
    }
}

/// The result of a call as JSON, with the names that the service uses.
extension JSON {
    init(_ nothing: Void) {
        self = .null
    }

    init(_ texts: [String]) {
        self = .list(texts.map(JSON.text))
    }

    init(_ ips: [LabeledIP]) {
        self = .list(ips.map { JSON($0) })
    }

    init(_ proxies: [Proxy]) {
        self = .list(proxies.map { .text("\($0)") })
    }

    init(_ tokens: [Token]) {
        self = .list(tokens.map { JSON($0) })
    }

    init(_ counts: [String: Int]) {
        self = .object(counts.mapValues { .whole(Int64($0)) })
    }

    init(_ ip: LabeledIP) {
        self = .object(["ip": .text(ip.ip), "label": .text(ip.label)])
    }

    init(_ account: SubAccount) {
        self = .object([
            "username": .text(account.username),
            "active": .bool(account.isActive),
            "monthly_bandwidth": JSON(account.monthlyBandwidth),
            "total_bandwidth": JSON(account.totalBandwidth),
            "monthly_bandwidth_limit": .whole(Int64(account.monthlyBandwidthLimit)),
            "total_bandwidth_limit": .whole(Int64(account.totalBandwidthLimit)),
            "first_name": JSON(account.firstName),
            "last_name": JSON(account.lastName),
            "email": JSON(account.email),
        ])
    }

    init(_ token: Token) {
        self = .object(JSON.fields(token))
    }

    init(_ new: NewToken) {
        self = .object(JSON.fields(new.token).merging(["token": .text(new.secret)]) { $1 })
    }

    private static func fields(_ token: Token) -> [String: JSON] {
        [
            "id": .whole(token.id),
            "label": .text(token.label),
            "is_active": .bool(token.isActive),
            "expires_at": JSON(token.expiresAt?.written),
            "created_at": .text(written(token.createdAt)),
        ]
    }

    /// The date with microseconds, which is the precision of a `Date` today. ISO8601DateFormatter has only milliseconds.
    private static func written(_ moment: Date) -> String {
        let microseconds = Int64((moment.timeIntervalSince1970 * 1_000_000).rounded())
        let (second, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let text = ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: TimeInterval(second)))
        return rest == 0 ? text : text.dropLast() + String(format: ".%06dZ", rest)
    }
}
