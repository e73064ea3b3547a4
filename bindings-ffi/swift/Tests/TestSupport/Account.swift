import Foundation
import ProxyMesh

/// Either client, whose calls go by the names that the tables have for them.
package protocol Account: Sendable {
    func call(_ arguments: Arguments) async throws -> JSON

    /// The same with other options.
    func with(timeout: Duration?, maxRetries: Int?) throws -> any Account
}

/// What a client is made with in a test.
package struct Options {
    package var username: String?
    package var password: String?
    package var token: String?
    package var timeout: Duration?
    package var connectTimeout: Duration?
    package var maxRetries: Int?
    package var caFile: URL?
    package var trustEnv = false

    package init(password: String = credentials.password, timeout: Duration? = nil, maxRetries: Int? = nil) {
        username = credentials.username
        self.password = password
        (self.timeout, self.maxRetries) = (timeout, maxRetries)
    }

    package init(token: String) {
        self.token = token
    }

    /// With nothing.
    package init(none: Void) {}
}

/// Which client.
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

/// The client whose calls are awaited.
package final class Awaited: Account {
    private let client: Client

    init(_ baseURL: URL, _ options: Options) throws {
        client = try Client(
            username: options.username, password: options.password, token: options.token, baseURL: baseURL,
            timeout: options.timeout, connectTimeout: options.connectTimeout, maxRetries: options.maxRetries,
            caFile: options.caFile, trustEnv: options.trustEnv)
    }

    private init(_ client: Client) {
        self.client = client
    }

    package func with(timeout: Duration?, maxRetries: Int?) throws -> any Account {
        Awaited(try client.withOptions(timeout: timeout, maxRetries: maxRetries))
    }

    package func call(_ arguments: Arguments) async throws -> JSON {
        let answer =
            switch arguments.call {
            case "sub_accounts.create":
                try JSON(
                    await client.subAccounts.create(
                        arguments.text("username"), password: arguments.maybe("password"),
                        firstName: arguments.maybe("first_name"),
                        lastName: arguments.maybe("last_name"), email: arguments.maybe("email"),
                        monthlyLimit: arguments.maybeWhole("monthly_limit"),
                        totalLimit: arguments.maybeWhole("total_limit")))
            case "sub_accounts.edit":
                try JSON(
                    await client.subAccounts.edit(
                        arguments.text("username"), password: arguments.maybe("password"),
                        firstName: arguments.maybe("first_name"),
                        lastName: arguments.maybe("last_name"), email: arguments.maybe("email"),
                        monthlyLimit: arguments.maybeWhole("monthly_limit"),
                        totalLimit: arguments.maybeWhole("total_limit")))
            case "sub_accounts.get": try JSON(await client.subAccounts.get(arguments.text("username")))
            case "sub_accounts.activate": try JSON(await client.subAccounts.activate(arguments.text("username")))
            case "sub_accounts.deactivate": try JSON(await client.subAccounts.deactivate(arguments.text("username")))
            case "sub_accounts.delete": try JSON(await client.subAccounts.delete(arguments.text("username")))
            case "ips.add":
                try JSON(
                    await client.ips.add(
                        arguments.text("ip"), label: arguments.maybe("label"), username: arguments.maybe("username")))
            case "ips.delete": try JSON(await client.ips.delete(arguments.text("ip"), username: arguments.maybe("username")))
            case "ips.list": try JSON(await client.ips.list(username: arguments.maybe("username")).map(JSON.text))
            case "ips.labels": try JSON(await client.ips.labels(username: arguments.maybe("username")).map(JSON.init))
            case "hostnames.add":
                try JSON(await client.hostnames.add(arguments.text("domain"), username: arguments.maybe("username")))
            case "hostnames.delete":
                try JSON(await client.hostnames.delete(arguments.text("domain"), username: arguments.maybe("username")))
            case "hostnames.list": try JSON(await client.hostnames.list().map(JSON.text))
            case "proxies.list": try JSON(await client.proxies.list().map { .text("\($0)") })
            case "proxies.add": try JSON(await client.proxies.add(arguments.text("proxy")))
            case "proxies.delete": try JSON(await client.proxies.delete(arguments.text("proxy")))
            case "tokens.list": try JSON(await client.tokens.list(username: arguments.maybe("username")).map(JSON.init))
            case "tokens.create":
                try JSON(
                    await client.tokens.create(
                        label: arguments.maybe("label"), expiresAt: arguments.maybeDate("expires_at"),
                        username: arguments.maybe("username")))
            case "tokens.activate":
                try JSON(await client.tokens.activate(arguments.whole("id"), username: arguments.maybe("username")))
            case "tokens.deactivate":
                try JSON(await client.tokens.deactivate(arguments.whole("id"), username: arguments.maybe("username")))
            case "tokens.delete":
                try JSON(await client.tokens.delete(arguments.whole("id"), username: arguments.maybe("username")))
            case "geo.open": try JSON(await client.geo.open())
            case "geo.world": try JSON(await client.geo.world())
            default: throw Unknown("a call \(arguments.call)")
            }
        try arguments.checkAllAsked()
        return answer
    }
}

/// The client whose calls return when they are done.
package final class Blocked: Account {
    private let client: BlockingClient

    init(_ baseURL: URL, _ options: Options) throws {
        client = try BlockingClient(
            username: options.username, password: options.password, token: options.token, baseURL: baseURL,
            timeout: options.timeout, connectTimeout: options.connectTimeout, maxRetries: options.maxRetries,
            caFile: options.caFile, trustEnv: options.trustEnv)
    }

    private init(_ client: BlockingClient) {
        self.client = client
    }

    package func with(timeout: Duration?, maxRetries: Int?) throws -> any Account {
        Blocked(try client.withOptions(timeout: timeout, maxRetries: maxRetries))
    }

    package func call(_ arguments: Arguments) throws -> JSON {
        let answer =
            switch arguments.call {
            case "sub_accounts.create":
                try JSON(
                    client.subAccounts.create(
                        arguments.text("username"), password: arguments.maybe("password"),
                        firstName: arguments.maybe("first_name"),
                        lastName: arguments.maybe("last_name"), email: arguments.maybe("email"),
                        monthlyLimit: arguments.maybeWhole("monthly_limit"),
                        totalLimit: arguments.maybeWhole("total_limit")))
            case "sub_accounts.edit":
                try JSON(
                    client.subAccounts.edit(
                        arguments.text("username"), password: arguments.maybe("password"),
                        firstName: arguments.maybe("first_name"),
                        lastName: arguments.maybe("last_name"), email: arguments.maybe("email"),
                        monthlyLimit: arguments.maybeWhole("monthly_limit"),
                        totalLimit: arguments.maybeWhole("total_limit")))
            case "sub_accounts.get": try JSON(client.subAccounts.get(arguments.text("username")))
            case "sub_accounts.activate": try JSON(client.subAccounts.activate(arguments.text("username")))
            case "sub_accounts.deactivate": try JSON(client.subAccounts.deactivate(arguments.text("username")))
            case "sub_accounts.delete": try JSON(client.subAccounts.delete(arguments.text("username")))
            case "ips.add":
                try JSON(
                    client.ips.add(arguments.text("ip"), label: arguments.maybe("label"), username: arguments.maybe("username")))
            case "ips.delete": try JSON(client.ips.delete(arguments.text("ip"), username: arguments.maybe("username")))
            case "ips.list": try JSON(client.ips.list(username: arguments.maybe("username")).map(JSON.text))
            case "ips.labels": try JSON(client.ips.labels(username: arguments.maybe("username")).map(JSON.init))
            case "hostnames.add": try JSON(client.hostnames.add(arguments.text("domain"), username: arguments.maybe("username")))
            case "hostnames.delete":
                try JSON(client.hostnames.delete(arguments.text("domain"), username: arguments.maybe("username")))
            case "hostnames.list": try JSON(client.hostnames.list().map(JSON.text))
            case "proxies.list": try JSON(client.proxies.list().map { .text("\($0)") })
            case "proxies.add": try JSON(client.proxies.add(arguments.text("proxy")))
            case "proxies.delete": try JSON(client.proxies.delete(arguments.text("proxy")))
            case "tokens.list": try JSON(client.tokens.list(username: arguments.maybe("username")).map(JSON.init))
            case "tokens.create":
                try JSON(
                    client.tokens.create(
                        label: arguments.maybe("label"), expiresAt: arguments.maybeDate("expires_at"),
                        username: arguments.maybe("username")))
            case "tokens.activate": try JSON(client.tokens.activate(arguments.whole("id"), username: arguments.maybe("username")))
            case "tokens.deactivate":
                try JSON(client.tokens.deactivate(arguments.whole("id"), username: arguments.maybe("username")))
            case "tokens.delete": try JSON(client.tokens.delete(arguments.whole("id"), username: arguments.maybe("username")))
            case "geo.open": try JSON(client.geo.open())
            case "geo.world": try JSON(client.geo.world())
            default: throw Unknown("a call \(arguments.call)")
            }
        try arguments.checkAllAsked()
        return answer
    }
}

/// A call's value as the tables have it.
extension JSON {
    init(_ nothing: Void) {
        self = .null
    }

    init(_ list: [JSON]) {
        self = .list(list)
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
            "active": .bool(account.active),
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

    /// To the microsecond, which is all that a `Date` of our times can hold; ISO8601DateFormatter has milliseconds.
    private static func written(_ moment: Date) -> String {
        let microseconds = Int64((moment.timeIntervalSince1970 * 1_000_000).rounded())
        let (second, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let text = ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: TimeInterval(second)))
        return rest == 0 ? text : text.dropLast() + String(format: ".%06dZ", rest)
    }
}
