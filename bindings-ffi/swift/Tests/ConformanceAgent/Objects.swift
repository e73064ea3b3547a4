import Foundation
import ProxyMesh
import TestSupport

/// What clients have created, by name, and the calls that need no client.
final class Objects: @unchecked Sendable {
    /// The runner makes one call at a time, so nothing here is used by two threads at once.
    private var objects: [String: Any] = [:]

    func clear() {
        objects = [:]
    }

    /// Whether a call creates an object, is one of an object's, or needs no client.
    static func has(_ call: String) -> Bool {
        let kinds = ["pool", "lease", "follower", "proxy"]
        return ["proxies.pool", "ips.authorized", "ips.follow"].contains(call)
            || kinds.contains(String(call.prefix { $0 != "." }))
    }

    func call(_ client: Client, _ arguments: Arguments) async throws -> JSON {
        let name = arguments.object
        switch arguments.call {
        case "proxies.pool":
            let options = try PoolArguments(arguments)
            objects[name] = try client.proxies.pool(
                countries: options.countries, excluding: options.exclude, order: options.order, ttl: options.ttl,
                cooldown: options.cooldown, usingCredentials: options.credentials, rotating: options.rotating)
            return .null
        case "ips.authorized":
            let lease = try LeaseArguments(arguments)
            let held = Held()
            objects[name] = held
            return .text(
                try await held.enter { body in
                    try await client.ips.withAuthorizedIP(
                        lease.ip, label: lease.label, lookup: lease.lookup, username: lease.username, body)
                })
        case "ips.follow":
            let lease = try LeaseArguments(arguments)
            let follower = try await client.ips.follow(
                label: lease.label, lookup: lease.lookup, username: lease.username, interval: lease.interval)
            objects[name] = follower
            return .text(follower.ip)
        case "lease.release":
            try await object(name, as: Held.self).leave()
            return .null
        case "follower.close":
            try await object(name, as: IPFollower.self).close()
            return .null
        case "pool.get":
            return shown(try await object(name, as: ProxyPool.self).next(in: arguments.maybeTexts("countries")))
        case "pool.session":
            let (countries, checking) = (arguments.maybeTexts("countries"), try CheckArguments(arguments))
            return shown(
                try await object(name, as: ProxyPool.self).session(
                    in: countries, target: checking.target, timeout: checking.timeout))
        case "proxy.session":
            let (proxy, checking) = (try described(arguments), try CheckArguments(arguments))
            return shown(try await proxy.session(target: checking.target, timeout: checking.timeout))
        case "pool.report":
            let pool = try object(name, as: ProxyPool.self)
            let report = try ReportArguments(arguments)
            return JSON(
                seconds: try pool.report(report.proxy, report.outcome, latency: report.latency, bytes: report.bytes))
        case "pool.stats":
            return JSON(stats: try object(name, as: ProxyPool.self).stats())
        case "proxy.check":
            let (proxy, checking) = (try described(arguments), try CheckArguments(arguments))
            return JSON(check: try await proxy.check(target: checking.target, timeout: checking.timeout))
        default:
            return try ofProxy(arguments)
        }
    }

    func call(_ client: BlockingClient, _ arguments: Arguments) throws -> JSON {
        let name = arguments.object
        switch arguments.call {
        case "proxies.pool":
            let options = try PoolArguments(arguments)
            objects[name] = try client.proxies.pool(
                countries: options.countries, excluding: options.exclude, order: options.order, ttl: options.ttl,
                cooldown: options.cooldown, usingCredentials: options.credentials, rotating: options.rotating)
            return .null
        case "ips.authorized":
            let lease = try LeaseArguments(arguments)
            let held = BlockingHeld()
            objects[name] = held
            return .text(
                try held.enter { body in
                    try client.ips.withAuthorizedIP(
                        lease.ip, label: lease.label, lookup: lease.lookup, username: lease.username, body)
                })
        case "ips.follow":
            let lease = try LeaseArguments(arguments)
            let follower = try client.ips.follow(
                label: lease.label, lookup: lease.lookup, username: lease.username, interval: lease.interval)
            objects[name] = follower
            return .text(follower.ip)
        case "lease.release":
            try object(name, as: BlockingHeld.self).leave()
            return .null
        case "follower.close":
            try object(name, as: BlockingIPFollower.self).close()
            return .null
        case "pool.get":
            return shown(try object(name, as: BlockingProxyPool.self).next(in: arguments.maybeTexts("countries")))
        case "pool.session":
            let (countries, checking) = (arguments.maybeTexts("countries"), try CheckArguments(arguments))
            return shown(
                try object(name, as: BlockingProxyPool.self).session(
                    in: countries, target: checking.target, timeout: checking.timeout))
        case "proxy.session":
            let (proxy, checking) = (try described(arguments), try CheckArguments(arguments))
            return shown(try proxy.sessionBlocking(target: checking.target, timeout: checking.timeout))
        case "pool.report":
            let pool = try object(name, as: BlockingProxyPool.self)
            let report = try ReportArguments(arguments)
            return JSON(
                seconds: try pool.report(report.proxy, report.outcome, latency: report.latency, bytes: report.bytes))
        case "pool.stats":
            return JSON(stats: try object(name, as: BlockingProxyPool.self).stats())
        case "proxy.check":
            let (proxy, checking) = (try described(arguments), try CheckArguments(arguments))
            return JSON(check: try proxy.checkBlocking(target: checking.target, timeout: checking.timeout))
        default:
            return try ofProxy(arguments)
        }
    }

    private func object<Kind>(_ name: String, as kind: Kind.Type) throws -> Kind {
        guard let object = objects[name] as? Kind else { throw Unknown("a \(kind) \(name)") }
        return object
    }

    private func ofProxy(_ arguments: Arguments) throws -> JSON {
        let proxy = try described(arguments)
        switch arguments.call {
        case "proxy.of":
            guard case .object(let fields) = shown(proxy) else { return .null }
            return .object(
                fields.merging([
                    "name": .text(proxy.name), "country": JSON(proxy.country), "chooses_country": .bool(proxy.choosesCountry),
                    "plain_url": .text(proxy.plainURL.absoluteString),
                ]) { $1 })
        case "proxy.rotating":
            return shown(proxy.rotating())
        case "proxy.url":
            return .text(try proxy.url().absoluteString)
        default:
            throw Unknown("a call \(arguments.call)")
        }
    }
}

/// The proxy that the arguments describe.
private func described(_ arguments: Arguments) throws -> Proxy {
    var proxy = try Proxy(host: arguments.text("proxy"), port: arguments.maybeWhole("port"))
    if let username = try arguments.maybeText("username") {
        proxy = try proxy.using(username: username, password: arguments.text("password"))
    }
    if let token = try arguments.maybeText("token") { proxy = try proxy.using(token: token) }
    if arguments.maybeBool("rotating") == true { proxy = proxy.rotating() }
    let country = try arguments.maybeText("country")
    let preferIP = try arguments.maybeText("prefer_ip")
    let notIPs = arguments.maybeTexts("not_ip")
    let holdIP = try arguments.maybeText("hold_ip")
    guard country != nil || preferIP != nil || notIPs != nil || holdIP != nil else { return proxy }
    return try proxy.steered(ExitChoice(country: country, preferIP: preferIP, notIPs: notIPs ?? [], holdIP: holdIP))
}

/// A proxy with everything that is sent to it.
private func shown(_ proxy: Proxy) -> JSON {
    let headers = (try? proxy.headers()) ?? [:]
    var shown: [String: JSON] = ["proxy": .text(proxy.description), "headers": .object(headers.mapValues(JSON.text))]
    if proxy.isRotating { shown["rotating"] = .bool(true) }
    if let ip = proxy.exit.holdIP { shown["held_ip"] = .text(ip) }
    return .object(shown)
}

private struct CheckArguments {
    let target: String
    let timeout: Duration

    init(_ arguments: Arguments) throws {
        target = try arguments.maybeText("target") ?? "proxymesh.com:443"
        timeout = arguments.maybeSeconds("timeout") ?? .seconds(10)
        try arguments.checkAllAsked()
    }
}

private struct PoolArguments {
    let countries: [String]?
    let exclude: [String]
    let order: ProxyPool.Order
    let ttl: Duration?
    let cooldown: Duration?
    let credentials: Bool
    let rotating: Bool

    init(_ arguments: Arguments) throws {
        countries = arguments.maybeTexts("countries")
        exclude = arguments.maybeTexts("exclude") ?? []
        guard let order = ProxyPool.Order(rawValue: try arguments.maybeText("order") ?? "round_robin") else {
            throw Unknown("an order")
        }
        self.order = order
        ttl = arguments.maybeSeconds("ttl")
        cooldown = arguments.maybeSeconds("cooldown")
        credentials = arguments.maybeBool("credentials") ?? true
        rotating = arguments.maybeBool("rotating") ?? false
        try arguments.checkAllAsked()
    }
}

private struct LeaseArguments {
    let ip: String?
    let label: String?
    let lookup: URL?
    let username: String?
    let interval: Duration?

    init(_ arguments: Arguments) throws {
        ip = try arguments.maybeText("ip")
        label = try arguments.maybeText("label")
        lookup = try arguments.maybeText("lookup").flatMap(URL.init(string:))
        username = try arguments.maybeText("username")
        interval = arguments.maybeSeconds("interval")
        try arguments.checkAllAsked()
    }
}

private struct ReportArguments {
    let proxy: Proxy
    let outcome: ProxyPool.Outcome
    let latency: Duration?
    let bytes: Int

    init(_ arguments: Arguments) throws {
        proxy = try Proxy(host: arguments.text("proxy"))
        if let status = try arguments.maybeWhole("status") {
            outcome = .status(status)
        } else {
            outcome = arguments.maybeBool("succeeded") == true ? .success : .failure
        }
        latency = arguments.maybeSeconds("latency")
        bytes = try arguments.maybeWhole("bytes") ?? 0
        try arguments.checkAllAsked()
    }
}

extension JSON {
    fileprivate init(seconds: Duration?) {
        self = seconds.map { JSON($0 / .seconds(1)) } ?? .null
    }

    fileprivate init(stats: [ProxyStats]) {
        self = .list(
            stats.map { stats in
                .object([
                    "proxy": .text(stats.proxy.description),
                    "handed_out": .whole(Int64(stats.handedOut)),
                    "successes": .whole(Int64(stats.successes)),
                    "failures": .whole(Int64(stats.failures)),
                    "bytes": .whole(Int64(stats.bytes)),
                    "latency": JSON(seconds: stats.latency),
                    "cooling": JSON(seconds: stats.cooling),
                ])
            })
    }

    fileprivate init(check: ProxyCheck) {
        self = .object([
            "ok": .bool(check.isOK),
            "reachable": .bool(check.isReachable),
            "status": check.status.map { .whole(Int64($0)) } ?? .null,
            "exit_ip": JSON(check.exitIP),
            "preferred_ip_is_gone": .bool(check.preferredIPIsGone),
            "error": JSON(check.error),
            "meaning": .text(check.meaning),
        ])
    }
}

/// A block that has begun and waits until it may end.
private final class Held: @unchecked Sendable {
    private let (mayLeave, left) = AsyncStream.makeStream(of: Void.self)
    private var block: Task<Void, any Error>?

    func enter(_ run: @escaping @Sendable (@escaping @Sendable (String) async throws -> Void) async throws -> Void) async throws
        -> String
    {
        let (entered, enters) = AsyncThrowingStream.makeStream(of: String.self)
        let mayLeave = mayLeave
        block = Task {
            do {
                try await run { ip in
                    enters.yield(ip)
                    for await _ in mayLeave {}
                }
            } catch {
                enters.finish(throwing: error)
                throw error
            }
        }
        for try await ip in entered { return ip }
        throw Unknown("a block that has ended")
    }

    func leave() async throws {
        left.finish()
        try await block?.value
    }
}

/// The same, on a thread of its own.
private final class BlockingHeld: @unchecked Sendable {
    private let entered = DispatchSemaphore(value: 0)
    private let mayLeave = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private var ip: String?
    private var error: (any Error)?

    func enter(_ run: @escaping @Sendable ((String) throws -> Void) throws -> Void) throws -> String {
        Thread.detachNewThread { [self] in
            do {
                try run { ip in
                    self.ip = ip
                    entered.signal()
                    mayLeave.wait()
                }
            } catch {
                self.error = error
            }
            entered.signal()
            ended.signal()
        }
        entered.wait()
        guard let ip else { throw error ?? Unknown("a block that has ended") }
        return ip
    }

    func leave() throws {
        mayLeave.signal()
        ended.wait()
        if let error { throw error }
    }
}
