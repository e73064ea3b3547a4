import Foundation
internal import ProxyMeshInternal

/// The client of an account, for scripts and threads: its calls return when they are done.
///
/// ```swift
/// let client = try BlockingClient(username: "me@ex.com", password: "secret")
/// try client.subAccounts.create("crawler-1", password: "correct horse", monthlyLimit: 5)
/// ```
///
/// One client serves all threads of a process. Every call throws ``ProxyMeshError``. None can be made from async code, where
/// it would hold up other tasks: that is for ``Client``.
public final class BlockingClient: Sendable {
    private let ffi: ProxyMeshInternal.BlockingClient

    /// Makes a client. Nothing is sent.
    ///
    /// What is not given comes from the environment, where it has a variable, and then from the default.
    ///
    /// - Parameters:
    ///   - username: The account's, or a sub-account's (`PROXYMESH_USERNAME`). Goes with a password.
    ///   - password: Its password (`PROXYMESH_PASSWORD`).
    ///   - token: A token (`pm_…`) instead of both (`PROXYMESH_TOKEN`). It cannot make the token calls.
    ///   - baseURL: Where the service is (`PROXYMESH_BASE_URL`); `https://proxymesh.com` by default. Plain http only to a
    ///     loopback host.
    ///   - timeout: How long one attempt may take, from connecting to the last byte of the answer; 30 s by default.
    ///   - connectTimeout: How long connecting may take, TLS included; 10 s by default.
    ///   - maxRetries: How often a call may be sent again, where that is safe; 2 by default.
    ///   - caFile: A PEM file with further CA certificates to trust. `SSL_CERT_FILE` and `SSL_CERT_DIR` add to them; where neither is
    ///     set, the system's own certificates are trusted, too (not on iOS: name them here).
    ///   - trustEnv: Whether `HTTPS_PROXY` and `NO_PROXY` count. Not by default, because a scraper's proxy must not carry the
    ///     account's calls.
    /// - Throws: ``ProxyMeshError/config(_:)`` for missing or contradictory credentials, and for a setting that cannot be.
    public init(
        username: String? = nil,
        password: String? = nil,
        token: String? = nil,
        baseURL: URL? = nil,
        timeout: Duration? = nil,
        connectTimeout: Duration? = nil,
        maxRetries: Int? = nil,
        caFile: URL? = nil,
        trustEnv: Bool = false
    ) throws(ProxyMeshError) {
        let settings = Settings(
            username: username, password: password, token: token, baseURL: baseURL, timeout: timeout,
            connectTimeout: connectTimeout, maxRetries: maxRetries, caFile: caFile, trustEnv: trustEnv)
        ffi = try ProxyMeshError.rethrowing { try ProxyMeshInternal.BlockingClient(settings: settings) }
    }

    private init(_ ffi: ProxyMeshInternal.BlockingClient) {
        self.ffi = ffi
    }

    /// Sub-accounts: create, limit, watch, delete.
    @available(*, noasync, message: "blocks the thread; await the calls of Client instead")
    public var subAccounts: SubAccounts { SubAccounts(client: self) }

    /// IPs that may use the proxies without credentials.
    @available(*, noasync, message: "blocks the thread; await the calls of Client instead")
    public var ips: IPs { IPs(client: self) }

    /// Hostnames that may use the proxies without credentials.
    @available(*, noasync, message: "blocks the thread; await the calls of Client instead")
    public var hostnames: Hostnames { Hostnames(client: self) }

    /// The proxies that the account may use.
    @available(*, noasync, message: "blocks the thread; await the calls of Client instead")
    public var proxies: Proxies { Proxies(client: self) }

    /// Bearer tokens.
    @available(*, noasync, message: "blocks the thread; await the calls of Client instead")
    public var tokens: Tokens { Tokens(client: self) }

    /// Exit IPs per country.
    @available(*, noasync, message: "blocks the thread; await the calls of Client instead")
    public var geo: Geo { Geo(client: self) }

    /// Where the service is; `nil` once the client is closed.
    public var baseURL: URL? { ffi.baseUrl().flatMap(URL.init(string:)) }

    /// The same client with other options for the calls made through it. It shares the connections.
    ///
    /// - Parameters:
    ///   - timeout: How long one attempt may take; as the client has it by default.
    ///   - maxRetries: How often a call may be sent again; as the client has it by default.
    /// - Throws: ``ProxyMeshError/config(_:)`` for an option that cannot be, and once the client is closed.
    public func withOptions(timeout: Duration? = nil, maxRetries: Int? = nil) throws(ProxyMeshError) -> BlockingClient {
        let options = Options(timeout: timeout, maxRetries: maxRetries)
        return BlockingClient(try ProxyMeshError.rethrowing { try ffi.withOptions(options: options) })
    }

    /// Closes the connections that are idle. Calls under way go on; later ones throw ``ProxyMeshError/config(_:)``. A client
    /// that is let go of is closed, too.
    public func close() {
        ffi.shutDown()
    }

    /// Makes a call on this thread.
    func call<Given>(
        _ body: (ProxyMeshInternal.BlockingClient) throws -> Given
    ) throws(ProxyMeshError) -> Given {
        try ProxyMeshError.rethrowing { try body(ffi) }
    }
}
