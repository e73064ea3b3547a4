internal import ProxyMeshInternal

/// Hands out the account's proxies in turn, and leaves out failing ones for a while. `client.proxies.pool` creates it.
///
/// ```swift
/// let pool = try client.proxies.pool(countries: ["DE"])
/// let proxy = try await pool.next()
/// // Make a request through the proxy, and then report its status, or that it failed.
/// try pool.report(proxy, .status(200))
/// ```
///
/// Any number of tasks may share one. It keeps what it needs of its client. If the client is closed, the pool hands out the
/// proxies that it knows until the list is older than `ttl`. After that, `next` throws a `config` error.
public final class ProxyPool: Sendable {
    private let native: Native

    fileprivate init(_ native: Native) {
        self.native = native
    }

    /// The order in which a pool hands out its proxies.
    public enum Order: String, Sendable, Hashable, CaseIterable {
        /// In the order of the list, one after another.
        case roundRobin = "round_robin"
        /// Every proxy once per round, in random order.
        case random
        /// Faster proxies more often, in inverse proportion to their average latency. The latencies come from reports. A proxy
        /// without one counts as the fastest.
        case fastest
    }

    /// How a request through a proxy went.
    public enum Outcome: Sendable, Hashable {
        /// It worked.
        case success
        /// It failed, or got no response.
        case failure
        /// It got a response with this status. 402, 403, 407, 429, and 500 and above count as failures: such a status usually
        /// comes from the proxy, or from a site that blocks it. A number below 100 is not a status, so it counts as a failure.
        case status(Int)
    }

    /// Returns the next proxy. The pool fetches the list of proxies first if there is none, or if it is older than the pool's
    /// `ttl`. One task at a time fetches it, and the others go on with the old one.
    ///
    /// - Parameter countries: Two-letter codes. The proxy has exit IPs in one of these countries. They override the pool's
    ///   countries.
    /// - Throws:
    ///   - ``ProxyMeshError/poolExhausted(_:)``: All proxies are cooling down, or the account has no authorised proxy.
    ///   - ``ProxyMeshError/validation(_:)``: No proxy has exit IPs in the countries, all are excluded, or a code is invalid.
    ///   - ``ProxyMeshError/config(_:)``: The list must be fetched, and the client is closed.
    ///   - `CancellationError`: The task was cancelled while the pool fetched the list.
    ///   - The errors of the calls that fetch the list, if there is no older one.
    public func next(in countries: [String]? = nil) async throws -> Proxy {
        if let proxy = try native.now(poolAtOnce(countries: countries)) { return Proxy(proxy) }
        return Proxy(try await native.later(poolNext(countries: countries)))
    }

    /// Returns the next proxy, which then holds one exit IP; see ``Proxy/session(target:timeout:)``. If a proxy does not work, the
    /// pool tries the next one, unless the refusal is about the account (402, 407, 429, 509). It leaves out a proxy that does not
    /// respond, or that reports an error of its own, for the cooldown.
    ///
    /// - Parameters:
    ///   - countries: As for ``next(in:)``.
    ///   - target: The `host:port` to connect to. It sees a connection, but receives no data.
    ///   - timeout: The time limit for each proxy.
    /// - Throws: The errors of ``next(in:)`` and of ``Proxy/session(target:timeout:)``. If no proxy works, it is the error of the
    ///   last one.
    public func session(
        in countries: [String]? = nil, target: String = "proxymesh.com:443", timeout: Duration = .seconds(10)
    ) async throws -> Proxy {
        Proxy(try await native.later(poolSession(countries: countries, target: target, timeout: timeout.inSeconds)))
    }

    /// Reports how a request through a proxy went. After a failure, the proxy is left out for the cooldown. Each failure after
    /// that doubles the cooldown, up to 16 times the first. Failures that are reported during a cooldown do not extend it. A
    /// success resets the cooldown to its first length, but does not end one that has begun. A proxy that the pool does not know
    /// is ignored.
    ///
    /// - Parameters:
    ///   - proxy: The proxy that was handed out. Its credentials and its exit choice do not matter.
    ///   - outcome: How the request went.
    ///   - latency: The time until the response arrived. It counts for the order ``ProxyPool/Order/fastest``.
    ///   - bytes: How many bytes were transferred. The pool only adds them up.
    /// - Returns: How long the proxy is now left out; `nil` if it is not left out, or if it was already.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `latency` if the latency is negative.
    @discardableResult
    public func report(
        _ proxy: Proxy, _ outcome: ProxyPool.Outcome, latency: Duration? = nil, bytes: Int = 0
    ) throws(ProxyMeshError) -> Duration? {
        try native.report(proxy, outcome, latency, bytes)
    }

    /// Reports the result of a check: a success with the latency of the check if it is OK, and a failure otherwise.
    ///
    /// - Parameters:
    ///   - proxy: The proxy that was handed out.
    ///   - check: Its check.
    /// - Returns: How long the proxy is now left out; `nil` if it is not left out, or if it was already.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `latency` if the latency is negative.
    @discardableResult
    public func report(_ proxy: Proxy, _ check: ProxyCheck) throws(ProxyMeshError) -> Duration? {
        try native.report(proxy, check.isOK ? .success : .failure, check.isOK ? check.latency : nil, 0)
    }

    /// Returns the proxies that the pool hands out, from the last list, and what the pool knows about each. There are none until
    /// the list has been fetched.
    public func stats() -> [ProxyStats] {
        native.stats
    }

    /// Returns the proxies that are cooling down, with the remaining time.
    public func cooling() -> [Proxy: Duration] {
        native.cooling
    }

    /// Whether the list of proxies has been fetched.
    public var isListed: Bool { native.isListed }
}

/// A ``ProxyPool`` for scripts and threads.
///
/// ```swift
/// let pool = try client.proxies.pool(countries: ["DE"])
/// let proxy = try pool.next()
/// // Make a request through the proxy, and then report its status, or that it failed.
/// try pool.report(proxy, .status(200))
/// ```
///
/// Any number of threads may share one. It keeps what it needs of its client. If the client is closed, the pool hands out the
/// proxies that it knows until the list is older than `ttl`. After that, `next` throws a `config` error.
public final class BlockingProxyPool: Sendable {
    private let native: Native

    fileprivate init(_ native: Native) {
        self.native = native
    }

    /// Returns the next proxy. The pool fetches the list of proxies first if there is none, or if it is older than the pool's
    /// `ttl`. One thread at a time fetches it, and the others go on with the old one.
    ///
    /// - Parameter countries: Two-letter codes. The proxy has exit IPs in one of these countries. They override the pool's
    ///   countries.
    /// - Throws:
    ///   - ``ProxyMeshError/poolExhausted(_:)``: All proxies are cooling down, or the account has no authorised proxy.
    ///   - ``ProxyMeshError/validation(_:)``: No proxy has exit IPs in the countries, all are excluded, or a code is invalid.
    ///   - ``ProxyMeshError/config(_:)``: The list must be fetched, and the client is closed.
    ///   - The errors of the calls that fetch the list, if there is no older one.
    @available(*, noasync, message: "blocks the thread; await the calls of ProxyPool instead")
    public func next(in countries: [String]? = nil) throws(ProxyMeshError) -> Proxy {
        if let proxy = try native.now(poolAtOnce(countries: countries)) { return Proxy(proxy) }
        return Proxy(try native.wait(poolNext(countries: countries)))
    }

    /// Returns the next proxy, which then holds one exit IP; see ``Proxy/sessionBlocking(target:timeout:)``. If a proxy does not
    /// work, the pool tries the next one, unless the refusal is about the account (402, 407, 429, 509). It leaves out a proxy that
    /// does not respond, or that reports an error of its own, for the cooldown.
    ///
    /// - Parameters:
    ///   - countries: As for ``next(in:)``.
    ///   - target: The `host:port` to connect to. It sees a connection, but receives no data.
    ///   - timeout: The time limit for each proxy.
    /// - Throws: The errors of ``next(in:)`` and of ``Proxy/sessionBlocking(target:timeout:)``. If no proxy works, it is the error of the
    ///   last one.
    @available(*, noasync, message: "blocks the thread; await the calls of ProxyPool instead")
    public func session(
        in countries: [String]? = nil, target: String = "proxymesh.com:443", timeout: Duration = .seconds(10)
    ) throws(ProxyMeshError) -> Proxy {
        Proxy(try native.wait(poolSession(countries: countries, target: target, timeout: timeout.inSeconds)))
    }

    /// Reports how a request through a proxy went. After a failure, the proxy is left out for the cooldown. Each failure after
    /// that doubles the cooldown, up to 16 times the first. Failures that are reported during a cooldown do not extend it. A
    /// success resets the cooldown to its first length, but does not end one that has begun. A proxy that the pool does not know
    /// is ignored.
    ///
    /// - Parameters:
    ///   - proxy: The proxy that was handed out. Its credentials and its exit choice do not matter.
    ///   - outcome: How the request went.
    ///   - latency: The time until the response arrived. It counts for the order ``ProxyPool/Order/fastest``.
    ///   - bytes: How many bytes were transferred. The pool only adds them up.
    /// - Returns: How long the proxy is now left out; `nil` if it is not left out, or if it was already.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `latency` if the latency is negative.
    @discardableResult
    public func report(
        _ proxy: Proxy, _ outcome: ProxyPool.Outcome, latency: Duration? = nil, bytes: Int = 0
    ) throws(ProxyMeshError) -> Duration? {
        try native.report(proxy, outcome, latency, bytes)
    }

    /// Reports the result of a check: a success with the latency of the check if it is OK, and a failure otherwise.
    ///
    /// - Parameters:
    ///   - proxy: The proxy that was handed out.
    ///   - check: Its check.
    /// - Returns: How long the proxy is now left out; `nil` if it is not left out, or if it was already.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `latency` if the latency is negative.
    @discardableResult
    public func report(_ proxy: Proxy, _ check: ProxyCheck) throws(ProxyMeshError) -> Duration? {
        try native.report(proxy, check.isOK ? .success : .failure, check.isOK ? check.latency : nil, 0)
    }

    /// Returns the proxies that the pool hands out, from the last list, and what the pool knows about each. There are none until
    /// the list has been fetched.
    public func stats() -> [ProxyStats] {
        native.stats
    }

    /// Returns the proxies that are cooling down, with the remaining time.
    public func cooling() -> [Proxy: Duration] {
        native.cooling
    }

    /// Whether the list of proxies has been fetched.
    public var isListed: Bool { native.isListed }
}

extension Client.Proxies {
    /// Creates a pool that hands out these proxies in turn, and leaves out failing ones for a while. It sends nothing until the
    /// first proxy is requested.
    ///
    /// - Parameters:
    ///   - countries: Two-letter codes. The pool hands out only proxies with exit IPs in one of these countries. These are the
    ///     proxies in the countries, and `open` and `world` if their geo counts include one. `open` and `world` are asked for an exit
    ///     IP in the country; if there are several countries, each has its turn. By default, all proxies are handed out.
    ///   - excluded: The proxies to leave out, as hosts (`us-ca`), domains (`us-ca.proxymesh.com`) or `domain:port`.
    ///   - order: The order in which the proxies are handed out.
    ///   - ttl: How long a list of proxies is used before it is fetched again; 5 minutes by default. If it cannot be fetched, the old
    ///     list stays in use.
    ///   - cooldown: How long a proxy is left out after its first failure; 60 s by default. Each further failure doubles the
    ///     time, up to 16 times this value.
    ///   - usingCredentials: Whether the proxies are handed out with the client's credentials. They are not needed if this machine's
    ///     IP is authorised.
    ///   - rotating: Whether each https request through one of the proxies opens a new tunnel; see ``Proxy/rotating()``.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `country`, `proxy`, `ttl` or `cooldown` if an argument is invalid.
    public func pool(
        countries: [String]? = nil,
        excluding excluded: [String] = [],
        order: ProxyPool.Order = .roundRobin,
        ttl: Duration? = nil,
        cooldown: Duration? = nil,
        usingCredentials: Bool = true,
        rotating: Bool = false
    ) throws(ProxyMeshError) -> ProxyPool {
        let options = PoolOptions(countries, excluded, order, ttl, cooldown, usingCredentials, rotating)
        return ProxyPool(try client.native.new(ProxyMeshInternal.pool(options: options)))
    }
}

extension BlockingClient.Proxies {
    /// Creates a pool that hands out these proxies in turn, and leaves out failing ones for a while. It sends nothing until the
    /// first proxy is requested.
    ///
    /// - Parameters:
    ///   - countries: Two-letter codes. The pool hands out only proxies with exit IPs in one of these countries. These are the
    ///     proxies in the countries, and `open` and `world` if their geo counts include one. `open` and `world` are asked for an exit
    ///     IP in the country; if there are several countries, each has its turn. By default, all proxies are handed out.
    ///   - excluded: The proxies to leave out, as hosts (`us-ca`), domains (`us-ca.proxymesh.com`) or `domain:port`.
    ///   - order: The order in which the proxies are handed out.
    ///   - ttl: How long a list of proxies is used before it is fetched again; 5 minutes by default. If it cannot be fetched, the old
    ///     list stays in use.
    ///   - cooldown: How long a proxy is left out after its first failure; 60 s by default. Each further failure doubles the
    ///     time, up to 16 times this value.
    ///   - usingCredentials: Whether the proxies are handed out with the client's credentials. They are not needed if this machine's
    ///     IP is authorised.
    ///   - rotating: Whether each https request through one of the proxies opens a new tunnel; see ``Proxy/rotating()``.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `country`, `proxy`, `ttl` or `cooldown` if an argument is invalid.
    public func pool(
        countries: [String]? = nil,
        excluding excluded: [String] = [],
        order: ProxyPool.Order = .roundRobin,
        ttl: Duration? = nil,
        cooldown: Duration? = nil,
        usingCredentials: Bool = true,
        rotating: Bool = false
    ) throws(ProxyMeshError) -> BlockingProxyPool {
        let options = PoolOptions(countries, excluded, order, ttl, cooldown, usingCredentials, rotating)
        return BlockingProxyPool(try client.native.new(ProxyMeshInternal.pool(options: options)))
    }
}

extension PoolOptions {
    fileprivate init(
        _ countries: [String]?, _ excluded: [String], _ order: ProxyPool.Order, _ ttl: Duration?, _ cooldown: Duration?,
        _ usesCredentials: Bool, _ isRotating: Bool
    ) {
        self.init(
            countries: countries, exclude: excluded, order: order.rawValue, ttl: ttl?.inSeconds, cooldown: cooldown?.inSeconds,
            credentials: usesCredentials, rotating: isRotating)
    }
}

extension Native {
    fileprivate func report(
        _ proxy: Proxy, _ outcome: ProxyPool.Outcome, _ latency: Duration?, _ bytes: Int
    ) throws(ProxyMeshError) -> Duration? {
        let status: Int32? = if case .status(let status) = outcome { Int32(clamping: status) } else { nil }
        let report = Report(
            status: status, succeeded: outcome == .success, latency: latency?.inSeconds, bytes: Int64(bytes))
        return try now(poolReport(proxy: proxy.input, report: report)).map(Duration.init(inSeconds:))
    }

    /// This only reads memory, so it does not fail.
    fileprivate var stats: [ProxyStats] { ((try? now(poolStats())) ?? []).map(ProxyStats.init) }

    fileprivate var cooling: [Proxy: Duration] {
        let cooling = stats.compactMap { stats in stats.cooling.map { (stats.proxy, $0) } }
        return Dictionary(cooling) { first, _ in first }
    }

    /// This only reads memory, so it does not fail.
    fileprivate var isListed: Bool { (try? now(poolIsListed())) ?? false }
}
