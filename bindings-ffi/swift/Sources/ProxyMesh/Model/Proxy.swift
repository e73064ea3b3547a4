import Foundation
internal import ProxyMeshInternal

/// A proxy server that the account may use.
///
/// ```swift
/// let proxy = try Proxy(host: "us-ca.proxymesh.com", port: 31280)
/// proxy.name                                             // us-ca
/// proxy.country                                          // US
/// proxy.url                                              // http://us-ca.proxymesh.com:31280
/// proxy.url(username: "me@ex.com", password: "a b")      // http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280
/// ```
public struct Proxy: Sendable, Hashable, CustomStringConvertible {
    /// The domain, such as `us-ca.proxymesh.com`.
    public let host: String
    /// The port, usually 31280.
    public let port: Int
    /// Where to connect to: the host and port, but `localhost` for the sandbox's proxies, as few resolvers know that
    /// `us-ca.localhost` is this machine.
    public var address: (host: String, port: Int) { (addressHost, port) }
    private let addressHost: String
    /// The first part of the domain, such as `us-ca`.
    public let name: String
    /// The URL without credentials, for a machine whose IP or hostname is authorised.
    public let url: URL
    /// The country that its exits are in, as an ISO 3166 code, if its name tells: `US` of `us-ca`, `GB` of `uk`. `nil` for `open`
    /// and `world`, which have many.
    public let country: String?
    /// Whether it has exits in many countries, of which an ``ExitChoice`` can choose one: `open` and `world`.
    public let choosesCountry: Bool

    /// The proxy at a host and port. The host may hold the port, as the service writes it: `us-ca.proxymesh.com:31280`. Where
    /// neither names a port, it is 31280, that of all proxies of the service.
    ///
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `proxy`: the host is not a DNS name, the port is not from 1 to
    ///   65535, or the host holds another port than the one given.
    public init(host: String, port: Int? = nil) throws(ProxyMeshError) {
        self.init(try ProxyMeshError.rethrowing { try proxyOf(host: host, port: port.map(Int32.init(clamping:))) })
    }

    init(_ given: ProxyMeshInternal.Proxy) {
        host = given.host
        port = Int(given.port)
        addressHost = given.addressHost
        name = given.name
        url = URL(string: given.url)!  // The core takes only DNS names for hosts.
        country = given.country
        choosesCountry = given.choosesCountry
    }

    /// The URL with credentials, percent-encoded, so that an `@` or `:` in them is safe. It holds the password: keep it out of
    /// logs.
    public func url(username: String, password: String) -> URL {
        // Neither fails: the host and the port are those of a proxy, and in the rest all that could disturb is encoded.
        let text = try! proxyUrlWith(host: host, port: Int32(port), username: username, password: password)
        return URL(string: text)!
    }

    /// The headers that are for the proxy: on the `CONNECT` request for an https target, on the request itself for an http one.
    /// `Proxy-Authorization` holds the password, in UTF-8: keep it out of logs.
    ///
    /// ```swift
    /// let proxy = try Proxy(host: "open.proxymesh.com")
    /// let headers = try proxy.headers(username: "me@ex.com", password: "a b", exit: ExitChoice(country: "DE"))
    /// let lines = headers.map { "\($0): \($1)\r\n" }.joined()
    /// let connect = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\(lines)\r\n"
    /// ```
    ///
    /// Give them to a library only where it sends them to the proxy alone. `URLSession` must not get them: what is set on a
    /// request goes to the site, on Apple's systems it has no place for the headers of a `CONNECT`, and on Linux it ignores
    /// `connectionProxyDictionary`, so that the request goes out directly.
    ///
    /// - Parameters:
    ///   - username: The account's, or a sub-account's.
    ///   - password: Its password.
    ///   - exit: Which exit IP to ask for.
    /// - Throws: ``ProxyMeshError/config(_:)`` for credentials that are unusable, ``ProxyMeshError/validation(_:)`` for a country
    ///   that this proxy cannot choose.
    public func headers(
        username: String, password: String, exit: ExitChoice = .any
    ) throws(ProxyMeshError) -> [String: String] {
        try headers(.basic(username: username, password: password), exit)
    }

    /// The same with a token.
    ///
    /// - Parameters:
    ///   - token: A token (`pm_…`).
    ///   - exit: Which exit IP to ask for.
    /// - Throws: ``ProxyMeshError/config(_:)`` for a token that is unusable, ``ProxyMeshError/validation(_:)`` for a country that
    ///   this proxy cannot choose.
    public func headers(token: String, exit: ExitChoice = .any) throws(ProxyMeshError) -> [String: String] {
        try headers(.bearer(token: token), exit)
    }

    /// The same without credentials, for a machine whose IP or hostname is authorised.
    ///
    /// - Parameter exit: Which exit IP to ask for.
    /// - Throws: ``ProxyMeshError/validation(_:)`` for a country that this proxy cannot choose.
    public func headers(exit: ExitChoice = .any) throws(ProxyMeshError) -> [String: String] {
        try headers(nil, exit)
    }

    private func headers(_ credentials: Credentials?, _ exit: ExitChoice) throws(ProxyMeshError) -> [String: String] {
        try ProxyMeshError.rethrowing {
            try proxyHeaders(host: host, port: Int32(port), credentials: credentials, exit: exit.crossing)
        }
    }

    /// `us-ca.proxymesh.com:31280`
    public var description: String { "\(host):\(port)" }
}
