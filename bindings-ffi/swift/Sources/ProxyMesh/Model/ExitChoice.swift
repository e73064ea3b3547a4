internal import ProxyMeshInternal

/// Which exit IP a proxy is asked for; what is not given is for the proxy to choose.
///
/// ```swift
/// let proxy = try Proxy(host: "open.proxymesh.com")
/// try proxy.headers(exit: ExitChoice(country: "DE"))      // ["X-ProxyMesh-Country": "DE"]
/// ```
public struct ExitChoice: Sendable, Hashable {
    /// The country asked for, in capitals.
    public let country: String?
    /// The exit IP asked for.
    public let preferIP: String?
    /// The exit IPs not wanted.
    public let notIPs: [String]

    /// Whichever the proxy takes.
    public static let any = ExitChoice(ProxyMeshInternal.ExitChoice(country: nil, preferIp: nil, notIps: []))

    /// Asks for what is given.
    ///
    /// - Parameters:
    ///   - country: Two letters, as the geo calls give them; with the proxies `open` and `world`.
    ///   - preferIP: The exit IP that is wanted, if the proxy has it.
    ///   - notIPs: The exit IPs that are not.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `country`, `prefer_ip` or `not_ip`.
    public init(country: String? = nil, preferIP: String? = nil, notIPs: [String] = []) throws(ProxyMeshError) {
        let given = ProxyMeshInternal.ExitChoice(country: country, preferIp: preferIP, notIps: notIPs)
        self.init(try ProxyMeshError.rethrowing { try exitChoiceOf(choice: given) })
    }

    private init(_ checked: ProxyMeshInternal.ExitChoice) {
        country = checked.country
        preferIP = checked.preferIp
        notIPs = checked.notIps
    }

    var crossing: ProxyMeshInternal.ExitChoice { .init(country: country, preferIp: preferIP, notIps: notIPs) }
}
