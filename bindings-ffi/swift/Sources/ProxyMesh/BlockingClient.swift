import Foundation
internal import ProxyMeshInternal

/// A client whose calls block until they are done, for scripts and threads.
///
/// ```swift
/// let client = try BlockingClient(username: "me@ex.com", password: "secret")
/// try client.subAccounts.create("crawler-1", password: "correct horse", monthlyLimit: 5)
/// ```
///
/// Any number of threads may share one client. Every call throws ``ProxyMeshError``. The calls are unavailable in async code,
/// where they would block other tasks. Use ``Client`` there.
public final class BlockingClient: Sendable {
    let native: Native

    /// Creates a client. Nothing is sent. A setting that you omit comes from its environment variable, if there is one, or else
    /// from its default.
    ///
    /// - Parameters:
    ///   - username: The username of the account or of a sub-account (`PROXYMESH_USERNAME`).
    ///   - password: The password for the username (`PROXYMESH_PASSWORD`).
    ///   - token: A token (`pm_…`), instead of a username and password (`PROXYMESH_TOKEN`). The token calls do not accept it.
    ///   - baseURL: The base URL of the service (`PROXYMESH_BASE_URL`); `https://proxymesh.com` by default. Plain http is allowed
    ///     only to loopback hosts.
    ///   - timeout: The time limit for one attempt, from connecting to the last byte of the response; 30 s by default. A call
    ///     that is retried may take longer.
    ///   - connectTimeout: The time limit for connecting, including TLS; 10 s by default.
    ///   - maxRetries: How many times a call may be retried, if that is safe; 2 by default.
    ///   - maxConnections: How many connections the client may have open at a time. Further calls wait for one, and this wait does
    ///     not count towards their time limit. By default, it is a quarter of the file descriptors that the process may open, but at
    ///     least 64 and at most 256.
    ///   - caFile: A PEM file with additional CA certificates to trust. `SSL_CERT_FILE` and `SSL_CERT_DIR` can name more. If
    ///     neither is set, the system's certificates are trusted as well, except on iOS.
    ///   - trustEnv: Whether to use the environment variables `HTTPS_PROXY` (or else `ALL_PROXY`) and `NO_PROXY`. Off by default,
    ///     because the account's calls should not go through a scraper's proxy.
    ///   - shareState: Whether the processes of this user share what they know about the credentials. If it is true, several
    ///     processes with a wrong password do not each try it. Otherwise, their attempts could get the caller banned. They share a file
    ///     in the user's state folder. It contains no name and no secret.
    ///   - log: Where the client writes its log; by default, the unified log on Apple platforms, and nowhere elsewhere.
    /// - Throws: ``ProxyMeshError/config(_:)`` if a setting is missing or invalid, or settings contradict each other.
    public init(
        username: String? = nil,
        password: String? = nil,
        token: String? = nil,
        baseURL: URL? = nil,
        timeout: Duration? = nil,
        connectTimeout: Duration? = nil,
        maxRetries: Int? = nil,
        maxConnections: Int? = nil,
        caFile: URL? = nil,
        trustEnv: Bool = false,
        shareState: Bool = true,
        log: ProxyMeshLog = .system
    ) throws(ProxyMeshError) {
        let settings = Settings(
            username: username, password: password, token: token, baseURL: baseURL, timeout: timeout,
            connectTimeout: connectTimeout, maxRetries: maxRetries, maxConnections: maxConnections,
            caFile: caFile, trustEnv: trustEnv, shareState: shareState)
        native = try ProxyMeshError.rethrowing {
            try Native.functions.create(newBlockingClient(settings: settings), sink: log.sink)
        }
    }

    private init(_ native: Native) {
        self.native = native
    }

    /// Sub-accounts. Only the parent account may make these calls.
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

    /// Bearer tokens. These calls require the parent account's username and password.
    @available(*, noasync, message: "blocks the thread; await the calls of Client instead")
    public var tokens: Tokens { Tokens(client: self) }

    /// The number of exit IPs in each country.
    @available(*, noasync, message: "blocks the thread; await the calls of Client instead")
    public var geo: Geo { Geo(client: self) }

    /// The base URL of the service, without a trailing slash; `nil` once the client is closed.
    public var baseURL: URL? { (try? native.invoke(baseUrl())).flatMap(URL.init(string:)) }

    /// Returns a client with different options for its calls. It shares this client's connections, but is closed separately.
    /// Options that you omit stay the same.
    ///
    /// - Parameters:
    ///   - timeout: The time limit for one attempt.
    ///   - maxRetries: How many times a call may be retried, if that is safe.
    /// - Throws: ``ProxyMeshError/config(_:)`` if an option is invalid, or this client is closed.
    public func withOptions(timeout: Duration? = nil, maxRetries: Int? = nil) throws(ProxyMeshError) -> BlockingClient {
        let call = ProxyMeshInternal.withOptions(options: Options(timeout: timeout, maxRetries: maxRetries))
        return BlockingClient(try native.client(call))
    }

    /// Closes the client. Later calls fail with ``ProxyMeshError/config(_:)``; calls in progress continue. The connections close
    /// with the last client that shares them. You may close a client twice. A client that is no longer referenced closes by
    /// itself.
    public func close() {
        try? native.invoke(shutDown())
    }

    /// Makes a call on this thread.
    func call<Response>(_ call: Call<Response>) throws(ProxyMeshError) -> Response {
        try native.wait(call)
    }
}
