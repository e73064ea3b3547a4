internal import ProxyMeshInternal

/// What a pool knows about one of its proxies. ``ProxyPool/stats()`` returns it.
public struct ProxyStats: Sendable, Hashable {
    /// The proxy, as the pool hands it out. If the pool has several countries, the country changes with every turn, so this value
    /// has none.
    public let proxy: Proxy
    /// How often the pool has handed it out.
    public let handedOut: Int
    /// How many successes were reported.
    public let successes: Int
    /// How many failures were reported.
    public let failures: Int
    /// How many bytes were reported.
    public let bytes: Int
    /// The average of the reported latencies; `nil` if there is none. Newer ones count more.
    public let latency: Duration?
    /// How long it will still be left out; `nil` if it is not left out.
    public let cooling: Duration?

    /// Creates a value as a pool would return it, for your own tests.
    public init(
        proxy: Proxy,
        handedOut: Int = 0,
        successes: Int = 0,
        failures: Int = 0,
        bytes: Int = 0,
        latency: Duration? = nil,
        cooling: Duration? = nil
    ) {
        self.proxy = proxy
        self.handedOut = handedOut
        self.successes = successes
        self.failures = failures
        self.bytes = bytes
        self.latency = latency
        self.cooling = cooling
    }

    init(_ given: ProxyMeshInternal.ProxyStats) {
        self.init(
            proxy: Proxy(given.proxy),
            handedOut: Int(clamping: given.handedOut),
            successes: Int(clamping: given.successes),
            failures: Int(clamping: given.failures),
            bytes: Int(clamping: given.bytes),
            latency: given.latency.map(Duration.init(inSeconds:)),
            cooling: given.cooling.map(Duration.init(inSeconds:)))
    }
}
