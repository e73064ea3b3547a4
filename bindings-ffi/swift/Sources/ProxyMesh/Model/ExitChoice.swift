internal import ProxyMeshInternal

/// Which exit IP to ask a proxy for. The proxy chooses what you leave open.
///
/// ```swift
/// let proxy = try Proxy(host: "open.proxymesh.com").steered(ExitChoice(country: "DE"))
/// try proxy.headers()                                     // ["X-ProxyMesh-Country": "DE"]
/// ```
public struct ExitChoice: Sendable, Hashable {
    /// The country code, in upper case.
    public let country: String?
    /// The exit IP to use if the proxy has it.
    public let preferIP: String?
    /// The exit IP to hold.
    public let holdIP: String?
    /// The exit IPs to avoid.
    public let notIPs: [String]

    /// Any exit IP: the proxy chooses.
    public static let any = ExitChoice(ProxyMeshInternal.ExitChoice(country: nil, preferIp: nil, holdIp: nil, notIps: []))

    /// Creates a choice.
    ///
    /// - Parameters:
    ///   - country: A two-letter code, as the geo calls return it. Only the proxies `open` and `world` can choose a country.
    ///   - preferIP: The exit IP to use if the proxy has it.
    ///   - notIPs: The exit IPs to avoid.
    ///   - holdIP: The exit IP to hold, instead of `preferIP`; see ``Proxy/session(target:timeout:)``.
    /// - Throws: ``ProxyMeshError/validation(_:)`` if an argument is malformed. Its field is `country`, `prefer_ip`, `hold_ip` or
    ///   `not_ip`.
    public init(
        country: String? = nil, preferIP: String? = nil, notIPs: [String] = [], holdIP: String? = nil
    ) throws(ProxyMeshError) {
        let given = ProxyMeshInternal.ExitChoice(country: country, preferIp: preferIP, holdIp: holdIP, notIps: notIPs)
        self.init(try ProxyMeshError.rethrowing { try Native.functions.invoke(exitChoiceOf(choice: given)) })
    }

    init(_ checked: ProxyMeshInternal.ExitChoice) {
        country = checked.country
        preferIP = checked.preferIp
        holdIP = checked.holdIp
        notIPs = checked.notIps
    }

    var given: ProxyMeshInternal.ExitChoice { .init(country: country, preferIp: preferIP, holdIp: holdIP, notIps: notIPs) }
}

extension ExitChoice: Codable {
    private enum CodingKeys: CodingKey {
        case country, preferIP, notIPs, holdIP
    }

    /// Reads a choice that was encoded.
    ///
    /// - Throws: A `DecodingError`, or ``ProxyMeshError/validation(_:)`` if a value is malformed.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            country: fields.decodeIfPresent(String.self, forKey: .country),
            preferIP: fields.decodeIfPresent(String.self, forKey: .preferIP),
            notIPs: fields.decodeIfPresent([String].self, forKey: .notIPs) ?? [],
            holdIP: fields.decodeIfPresent(String.self, forKey: .holdIP))
    }
}
