internal import ProxyMeshInternal

/// A sub-account, with what it has used and what it may use.
public struct SubAccount: Sendable, Hashable {
    /// Its name, with which it also logs in.
    public let username: String
    /// Whether it may use the proxies, which answer 402 to one that is deactivated.
    public let active: Bool
    /// Gigabytes used in this billing period.
    public let monthlyBandwidth: Double
    /// Gigabytes used ever; at least `monthlyBandwidth`.
    public let totalBandwidth: Double
    /// Gigabytes it may use in a billing period; 0 is no limit.
    public let monthlyBandwidthLimit: Int
    /// Gigabytes it may use ever; 0 is no limit.
    public let totalBandwidthLimit: Int
    /// First name, if one was ever set.
    public let firstName: String?
    /// Last name, if one was ever set.
    public let lastName: String?
    /// E-mail address, if one was ever set.
    public let email: String?

    /// A value as a call would give it, for tests of your own.
    public init(
        username: String,
        active: Bool = true,
        monthlyBandwidth: Double = 0,
        totalBandwidth: Double = 0,
        monthlyBandwidthLimit: Int = 0,
        totalBandwidthLimit: Int = 0,
        firstName: String? = nil,
        lastName: String? = nil,
        email: String? = nil
    ) {
        self.username = username
        self.active = active
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
            active: given.active,
            monthlyBandwidth: given.monthlyBandwidth,
            totalBandwidth: given.totalBandwidth,
            monthlyBandwidthLimit: Int(clamping: given.monthlyBandwidthLimit),
            totalBandwidthLimit: Int(clamping: given.totalBandwidthLimit),
            firstName: given.firstName,
            lastName: given.lastName,
            email: given.email)
    }
}
