import Foundation
internal import ProxyMeshInternal

/// The client of an account, for code that awaits.
///
/// ```swift
/// let client = try Client(username: "me@ex.com", password: "secret")
/// for proxy in try await client.proxies.list() {
///     print(proxy.url(username: "me@ex.com", password: "secret"))
/// }
/// try await client.ips.add("203.0.113.7", label: "office")
/// ```
///
/// One client serves all tasks of a process. Every call throws ``ProxyMeshError``, or `CancellationError` once its task is
/// cancelled: the request is then given up, and its connection closed. Only the first request with credentials goes on for up
/// to five seconds, because its answer tells whether they are right.
public final class Client: Sendable {
    private let ffi: ProxyMeshInternal.Client

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
        ffi = try ProxyMeshError.rethrowing { try ProxyMeshInternal.Client(settings: settings) }
    }

    private init(_ ffi: ProxyMeshInternal.Client) {
        self.ffi = ffi
    }

    /// Sub-accounts: create, limit, watch, delete.
    public var subAccounts: SubAccounts { SubAccounts(client: self) }

    /// IPs that may use the proxies without credentials.
    public var ips: IPs { IPs(client: self) }

    /// Hostnames that may use the proxies without credentials.
    public var hostnames: Hostnames { Hostnames(client: self) }

    /// The proxies that the account may use.
    public var proxies: Proxies { Proxies(client: self) }

    /// Bearer tokens.
    public var tokens: Tokens { Tokens(client: self) }

    /// Exit IPs per country.
    public var geo: Geo { Geo(client: self) }

    /// Where the service is; `nil` once the client is closed.
    public var baseURL: URL? { ffi.baseUrl().flatMap(URL.init(string:)) }

    /// The same client with other options for the calls made through it. It shares the connections.
    ///
    /// - Parameters:
    ///   - timeout: How long one attempt may take; as the client has it by default.
    ///   - maxRetries: How often a call may be sent again; as the client has it by default.
    /// - Throws: ``ProxyMeshError/config(_:)`` for an option that cannot be, and once the client is closed.
    public func withOptions(timeout: Duration? = nil, maxRetries: Int? = nil) throws(ProxyMeshError) -> Client {
        let options = Options(timeout: timeout, maxRetries: maxRetries)
        return Client(try ProxyMeshError.rethrowing { try ffi.withOptions(options: options) })
    }

    /// Closes the connections that are idle. Calls under way go on; later ones throw ``ProxyMeshError/config(_:)``. A client
    /// that is let go of is closed, too.
    public func close() {
        ffi.shutDown()
    }

    /// Makes a call that ends when its task is cancelled. What UniFFI generates takes no notice of that
    /// (https://github.com/mozilla/uniffi-rs/issues/2771), so each call goes through an object of its own, to be aborted.
    func call<Given: Sendable>(
        _ body: @Sendable (ProxyMeshInternal.Client) async throws -> Given
    ) async throws -> Given {
        let one = ffi.abortable()
        do {
            return try await withTaskCancellationHandler {
                try await body(one)
            } onCancel: {
                one.abort()
            }
        } catch Failure.Aborted {
            throw CancellationError()
        } catch {
            throw ProxyMeshError(error)
        }
    }
}
