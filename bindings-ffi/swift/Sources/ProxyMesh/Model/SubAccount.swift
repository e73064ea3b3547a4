internal import ProxyMeshInternal

/// A sub-account with its usage and limits.
public struct SubAccount: Sendable, Hashable, Codable {
    /// The username. The sub-account logs in with it.
    public let username: String
    /// Whether it may use the proxies. The proxies respond with 402 to a deactivated sub-account.
    public let isActive: Bool
    /// The gigabytes used in this billing period.
    public let monthlyBandwidth: Double
    /// The gigabytes used in total; at least `monthlyBandwidth`.
    public let totalBandwidth: Double
    /// The limit per billing period in gigabytes; 0 means no limit. Set it with `monthlyLimit`.
    public let monthlyBandwidthLimit: Int
    /// The limit on the total usage in gigabytes; 0 means no limit. Set it with `totalLimit`.
    public let totalBandwidthLimit: Int
    /// The first name, if one was ever set.
    public let firstName: String?
    /// The last name, if one was ever set.
    public let lastName: String?
    /// The email address, if one was ever set.
    public let email: String?

    /// Creates a value as a call would return it, for your own tests.
    public init(
        username: String,
        isActive: Bool = true,
        monthlyBandwidth: Double = 0,
        totalBandwidth: Double = 0,
        monthlyBandwidthLimit: Int = 0,
        totalBandwidthLimit: Int = 0,
        firstName: String? = nil,
        lastName: String? = nil,
        email: String? = nil
    ) {
        self.username = username
        self.isActive = isActive
        self.monthlyBandwidth = monthlyBandwidth
        self.totalBandwidth = totalBandwidth
        self.monthlyBandwidthLimit = monthlyBandwidthLimit
        self.totalBandwidthLimit = totalBandwidthLimit
        self.firstName = firstName
        self.lastName = lastName
        self.email = email
    }

    init(_ given: ProxyMeshInternal.SubAccount) {
        self.init(
            username: given.username,
            isActive: given.active,
            monthlyBandwidth: given.monthlyBandwidth,
            totalBandwidth: given.totalBandwidth,
            monthlyBandwidthLimit: Int(clamping: given.monthlyBandwidthLimit),
            totalBandwidthLimit: Int(clamping: given.totalBandwidthLimit),
            firstName: given.firstName,
            lastName: given.lastName,
            email: given.email)
    }
}
