internal import ProxyMeshInternal

/// The result of a check of a proxy. ``Proxy/check(target:timeout:)`` returns it.
public struct ProxyCheck: Sendable, Hashable {
    /// Whether you can use the proxy: it responded with 200.
    public let isOK: Bool
    /// Whether the proxy responded.
    public let isReachable: Bool
    /// The status of its response; `nil` if it did not respond. 200 means that it opened a tunnel.
    public let status: Int?
    /// The exit IP, from the header `X-ProxyMesh-IP` of the response, if it is there.
    public let exitIP: String?
    /// Whether the proxy does not have the exit IP that ``ExitChoice/preferIP`` asked for. It then uses another one.
    public let preferredIPIsGone: Bool
    /// Why the proxy refused, in its own words, if it says so. It may contain anything, but it is one short line.
    public let error: String?
    /// The time from the start of the connection to the response or the failure.
    public let latency: Duration
    /// What the result means, and what to do about it.
    public let meaning: String

    /// Creates a value as a check would return it, for your own tests.
    public init(
        isOK: Bool,
        isReachable: Bool = true,
        status: Int? = nil,
        exitIP: String? = nil,
        preferredIPIsGone: Bool = false,
        error: String? = nil,
        latency: Duration = .zero,
        meaning: String = ""
    ) {
        self.isOK = isOK
        self.isReachable = isReachable
        self.status = status
        self.exitIP = exitIP
        self.preferredIPIsGone = preferredIPIsGone
        self.error = error
        self.latency = latency
        self.meaning = meaning
    }

    init(_ given: ProxyMeshInternal.ProxyCheck) {
        self.init(
            isOK: given.ok,
            isReachable: given.reachable,
            status: given.status.map { Int($0) },
            exitIP: given.exitIp,
            preferredIPIsGone: given.preferredIpIsGone,
            error: given.error,
            latency: Duration(inSeconds: given.latency),
            meaning: given.meaning)
    }
}
