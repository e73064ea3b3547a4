internal import ProxyMeshInternal

/// An authorised IP and its label.
public struct LabeledIP: Sendable, Hashable {
    /// The address, v4 or v6.
    public let ip: String
    /// The label; no label is the empty text.
    public let label: String

    /// A value as a call would give it, for tests of your own.
    public init(ip: String, label: String = "") {
        self.ip = ip
        self.label = label
    }

    init(_ given: ProxyMeshInternal.LabeledIp) {
        self.init(ip: given.ip, label: given.label)
    }
}
