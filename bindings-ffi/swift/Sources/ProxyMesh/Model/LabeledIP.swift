internal import ProxyMeshInternal

/// An authorised IP and its label.
public struct LabeledIP: Sendable, Hashable, Codable {
    /// The address, IPv4 or IPv6.
    public let ip: String
    /// The label; empty if there is none.
    public let label: String

    /// Creates a value as a call would return it, for your own tests.
    public init(ip: String, label: String = "") {
        self.ip = ip
        self.label = label
    }

    init(_ given: ProxyMeshInternal.LabeledIp) {
        self.init(ip: given.ip, label: given.label)
    }
}
