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
    /// The host and port to connect to. For the sandbox's proxies, the host is `localhost`, because few resolvers know that
    /// `us-ca.localhost` is this machine.
    public var address: (host: String, port: Int) { (addressHost, port) }
    private let addressHost: String
    /// The first part of the domain, such as `us-ca`.
    public let name: String
    /// The URL without credentials, for a machine whose IP or hostname is authorised.
    public let url: URL
    /// The country of its exit IPs as an ISO 3166 code, if the name contains it: `US` for `us-ca`, `GB` for `uk`. `nil` for
    /// `open` and `world`, which have exit IPs in many countries.
    public let country: String?
    /// Whether an ``ExitChoice`` can choose the country: true for `open` and `world`, which have exit IPs in many countries.
    public let choosesCountry: Bool

    /// The proxy at this host and port. The host may include the port, as the service writes it: `us-ca.proxymesh.com:31280`.
    /// If neither `host` nor `port` gives a port, it is 31280, which all proxies of the service use.
    ///
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `proxy` if the host is not a DNS name, the port is not from 1
    ///   to 65535, or the host includes a port that differs from the one given.
    public init(host: String, port: Int? = nil) throws(ProxyMeshError) {
        let call = proxyOf(host: host, port: port.map(Int32.init(clamping:)))
        self.init(try ProxyMeshError.rethrowing { try Native.functions.invoke(call) })
    }

    init(_ given: ProxyMeshInternal.Proxy) {
        host = given.host
        port = Int(given.port)
        addressHost = given.addressHost
        name = given.name
        url = URL(string: given.url)!  // The core accepts only DNS names as hosts.
        country = given.country
        choosesCountry = given.choosesCountry
    }

    /// The URL with credentials, for any HTTP library. They are percent-encoded, so they may contain `@` or `:`. The URL contains
    /// the password, so keep it out of logs.
    ///
    /// - Parameters:
    ///   - username: The username of the account or of a sub-account.
    ///   - password: The password for the username.
    public func url(username: String, password: String) -> URL {
        // Neither line can fail: the host and port are already checked, and the credentials are percent-encoded.
        let call = proxyUrlWith(host: host, port: Int32(port), username: username, password: password)
        return URL(string: try! Native.functions.invoke(call))!
    }

    /// The headers to send to the proxy: on the `CONNECT` request for an https target, and on the request itself for an http
    /// target. `Proxy-Authorization` contains the credentials, as Basic in UTF-8. Keep it out of logs.
    ///
    /// ```swift
    /// let proxy = try Proxy(host: "open.proxymesh.com")
    /// let headers = try proxy.headers(username: "me@ex.com", password: "a b", exit: ExitChoice(country: "DE"))
    /// let lines = headers.map { "\($0): \($1)\r\n" }.joined()
    /// let connect = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\(lines)\r\n"
    /// ```
    ///
    /// Pass the headers to a library only if it sends them to the proxy alone. Do not pass them to `URLSession`, which sends the
    /// headers of a request to the site. On Apple's systems, it cannot set the headers of a `CONNECT`. On Linux, it ignores
    /// `connectionProxyDictionary`, so the request does not go through the proxy.
    ///
    /// - Parameters:
    ///   - username: The username of the account or of a sub-account.
    ///   - password: The password for the username.
    ///   - exit: The exit IP to ask for.
    /// - Throws: ``ProxyMeshError/config(_:)`` if the username or password is invalid, ``ProxyMeshError/validation(_:)`` if this
    ///   proxy cannot choose the country.
    public func headers(
        username: String, password: String, exit: ExitChoice = .any
    ) throws(ProxyMeshError) -> [String: String] {
        try headers(.basic(username: username, password: password), exit)
    }

    /// The same headers with a token, instead of a username and password.
    ///
    /// - Parameters:
    ///   - token: A token (`pm_…`).
    ///   - exit: The exit IP to ask for.
    /// - Throws: ``ProxyMeshError/config(_:)`` if the token is invalid, ``ProxyMeshError/validation(_:)`` if this proxy cannot
    ///   choose the country.
    public func headers(token: String, exit: ExitChoice = .any) throws(ProxyMeshError) -> [String: String] {
        try headers(.bearer(token: token), exit)
    }

    /// The same headers without credentials, for a machine whose IP or hostname is authorised.
    ///
    /// - Parameter exit: The exit IP to ask for.
    /// - Throws: ``ProxyMeshError/validation(_:)`` if this proxy cannot choose the country.
    public func headers(exit: ExitChoice = .any) throws(ProxyMeshError) -> [String: String] {
        try headers(nil, exit)
    }

    private func headers(_ credentials: Credentials?, _ exit: ExitChoice) throws(ProxyMeshError) -> [String: String] {
        let call = proxyHeaders(host: host, port: Int32(port), credentials: credentials, exit: exit.given)
        return try ProxyMeshError.rethrowing { try Native.functions.invoke(call) }
    }

    /// The proxy as `domain:port`.
    public var description: String { "\(host):\(port)" }
}
