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
    /// The exit IPs to avoid.
    public let notIPs: [String]

    /// Any exit IP: the proxy chooses.
    public static let any = ExitChoice(ProxyMeshInternal.ExitChoice(country: nil, preferIp: nil, notIps: []))

    /// Creates a choice.
    ///
    /// - Parameters:
    ///   - country: A two-letter code, as the geo calls return it. Only the proxies `open` and `world` can choose a country.
    ///   - preferIP: The exit IP to use if the proxy has it.
    ///   - notIPs: The exit IPs to avoid.
    /// - Throws: ``ProxyMeshError/validation(_:)`` if an argument is malformed. Its field is `country`, `prefer_ip` or `not_ip`.
    public init(country: String? = nil, preferIP: String? = nil, notIPs: [String] = []) throws(ProxyMeshError) {
        let given = ProxyMeshInternal.ExitChoice(country: country, preferIp: preferIP, notIps: notIPs)
        self.init(try ProxyMeshError.rethrowing { try Native.functions.invoke(exitChoiceOf(choice: given)) })
    }

    init(_ checked: ProxyMeshInternal.ExitChoice) {
        country = checked.country
        preferIP = checked.preferIp
        notIPs = checked.notIps
    }

    var given: ProxyMeshInternal.ExitChoice { .init(country: country, preferIp: preferIP, notIps: notIPs) }
}
