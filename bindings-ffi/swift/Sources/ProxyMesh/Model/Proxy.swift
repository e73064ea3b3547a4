import Foundation
internal import ProxyMeshInternal

/// A proxy server that the account may use.
///
/// ```swift
/// let proxy = try Proxy(host: "us-ca.proxymesh.com", port: 31280)
/// proxy.name                                             // us-ca
/// proxy.url                                              // http://us-ca.proxymesh.com:31280
/// proxy.url(username: "me@ex.com", password: "a b")      // http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280
/// ```
public struct Proxy: Sendable, Hashable, CustomStringConvertible {
    /// The domain, such as `us-ca.proxymesh.com`.
    public let host: String
    /// The port, usually 31280.
    public let port: Int
    /// The first part of the domain, such as `us-ca`.
    public let name: String
    /// The URL without credentials, for a machine whose IP or hostname is authorised.
    public let url: URL

    /// The proxy at a host and port; the port is 31280 for all proxies of the service.
    ///
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `proxy`.
    public init(host: String, port: Int = 31280) throws(ProxyMeshError) {
        self.init(try ProxyMeshError.rethrowing { try proxyOf(host: host, port: Int32(clamping: port)) })
    }

    init(_ given: ProxyMeshInternal.Proxy) {
        host = given.host
        port = Int(given.port)
        name = given.name
        url = URL(string: given.url)!  // The core takes only DNS names for hosts.
    }

    /// The URL with credentials, percent-encoded, so that an `@` or `:` in them is safe. It holds the password: keep it out of
    /// logs.
    public func url(username: String, password: String) -> URL {
        // Neither fails: the host and the port are those of a proxy, and in the rest all that could disturb is encoded.
        let text = try! proxyUrlWith(host: host, port: Int32(port), username: username, password: password)
        return URL(string: text)!
    }

    /// `us-ca.proxymesh.com:31280`
    public var description: String { "\(host):\(port)" }
}
