import Foundation
internal import ProxyMeshInternal

/// A proxy server that the account may use.
///
/// ```swift
/// let proxy = try Proxy(host: "us-ca.proxymesh.com", port: 31280)
/// proxy.name                                             // us-ca
/// proxy.country                                          // US
/// proxy.plainURL                                         // http://us-ca.proxymesh.com:31280
/// try proxy.using(username: "me@ex.com", password: "a b").url()
///                                                        // http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280
/// ```
///
/// A proxy that the service lists has no credentials. It works as it is on a machine whose IP or hostname is authorised.
/// ``using(username:password:)`` returns the same proxy with credentials, and ``steered(_:)`` returns it with an exit choice.
/// ``url()``, ``headers()`` and ``check(target:timeout:)`` use both.
///
/// Two proxies are equal if their hosts, ports, credentials and exit choices are equal, and both rotate or neither does. The
/// credentials are redacted if the value is printed or dumped.
public struct Proxy: Sendable, Hashable {
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
    public let plainURL: URL
    /// The country of its exit IPs as an ISO 3166 code, if the name contains it: `US` for `us-ca`, `GB` for `uk`. `nil` for
    /// `open` and `world`, which have exit IPs in many countries.
    public let country: String?
    /// Whether an ``ExitChoice`` can choose the country: true for `open` and `world`, which have exit IPs in many countries.
    public let choosesCountry: Bool
    /// Which exit IP to ask the proxy for. The headers contain it; a URL cannot.
    public let exit: ExitChoice
    /// Whether each https request opens a new tunnel; see ``rotating()``.
    public let isRotating: Bool
    private let login: Login?

    /// The proxy at this host and port, without credentials. The host may include the port, as the service writes it:
    /// `us-ca.proxymesh.com:31280`. If neither `host` nor `port` gives a port, it is 31280, which all proxies of the service use.
    ///
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `proxy` if the host is neither a DNS name nor an IPv4 address,
    ///   the port is not from 1 to 65535, or the host includes a port that differs from the one given.
    public init(host: String, port: Int? = nil) throws(ProxyMeshError) {
        self.init(try Native.library.now(proxyOf(host: host, port: port.map(Int32.init(clamping:)))))
    }

    init(_ given: ProxyMeshInternal.Proxy) {
        self.init(
            given, exit: given.access.map { ExitChoice($0.exit) } ?? .any,
            login: given.access?.credentials.map(Login.init))
    }

    private init(_ given: ProxyMeshInternal.Proxy, exit: ExitChoice, login: Login?) {
        host = given.host
        port = Int(given.port)
        addressHost = given.addressHost
        name = given.name
        plainURL = URL(string: given.plainUrl)!  // The core accepts only DNS names and IPv4 addresses as hosts.
        country = given.country
        choosesCountry = given.choosesCountry
        self.exit = exit
        isRotating = given.access?.rotating ?? false
        self.login = login
    }

    private init(_ other: Proxy, login: Login?) {
        host = other.host
        port = other.port
        addressHost = other.addressHost
        name = other.name
        plainURL = other.plainURL
        country = other.country
        choosesCountry = other.choosesCountry
        exit = other.exit
        isRotating = other.isRotating
        self.login = login
    }

    /// The proxy as the library takes it.
    var input: ProxyInput { input(login?.credentials, exit) }

    private func input(_ credentials: Credentials?, _ exit: ExitChoice) -> ProxyInput {
        let access = Access(credentials: credentials, exit: exit.given, rotating: isRotating)
        let hasAccess = credentials != nil || exit != .any || isRotating
        return ProxyInput(host: host, port: Int32(port), access: hasAccess ? access : nil)
    }

    /// Returns the same proxy with this username and password. They replace earlier credentials.
    ///
    /// - Parameters:
    ///   - username: The username of the account or of a sub-account.
    ///   - password: The password for the username.
    /// - Throws: ``ProxyMeshError/config(_:)`` if the username or password is invalid.
    public func using(username: String, password: String) throws(ProxyMeshError) -> Proxy {
        try with(.basic(username: username, password: password), exit)
    }

    /// Returns the same proxy with this token. It replaces earlier credentials. A token cannot go into a URL; use ``headers()``.
    ///
    /// - Parameter token: A token (`pm_…`).
    /// - Throws: ``ProxyMeshError/config(_:)`` if the token is invalid.
    public func using(token: String) throws(ProxyMeshError) -> Proxy {
        try with(.bearer(token: token), exit)
    }

    /// Returns the same proxy with the credentials of a client. They replace earlier credentials.
    ///
    /// - Parameter client: The client whose credentials to use.
    /// - Throws: ``ProxyMeshError/config(_:)`` if the client is closed.
    public func using(_ client: Client) throws(ProxyMeshError) -> Proxy {
        Proxy(try client.native.now(usingOwn(proxy: input)))
    }

    /// Returns the same proxy with the credentials of a client. They replace earlier credentials.
    ///
    /// - Parameter client: The client whose credentials to use.
    /// - Throws: ``ProxyMeshError/config(_:)`` if the client is closed.
    public func using(_ client: BlockingClient) throws(ProxyMeshError) -> Proxy {
        Proxy(try client.native.now(usingOwn(proxy: input)))
    }

    /// Returns the same proxy without credentials, for a machine whose IP or hostname is authorised. The exit choice stays.
    public func withoutCredentials() -> Proxy {
        Proxy(self, login: nil)
    }

    /// Returns the same proxy with this exit choice. It replaces an earlier choice. The choice is sent in the headers
    /// `X-ProxyMesh-Country`, `X-ProxyMesh-Prefer-IP` and `X-ProxyMesh-Not-IP`. If the choice holds an exit IP, the returned proxy
    /// does not rotate.
    ///
    /// ```swift
    /// let proxy = try Proxy(host: "open.proxymesh.com").steered(ExitChoice(country: "DE"))
    /// try proxy.headers()                                // ["X-ProxyMesh-Country": "DE"]
    /// ```
    ///
    /// - Parameter exit: The exit IP to ask for.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `country` if this proxy has no exit IPs in the country and
    ///   cannot choose one.
    public func steered(_ exit: ExitChoice) throws(ProxyMeshError) -> Proxy {
        try with(login?.credentials, exit)
    }

    private func with(_ credentials: Credentials?, _ exit: ExitChoice) throws(ProxyMeshError) -> Proxy {
        Proxy(try Native.library.now(proxyWith(proxy: input(credentials, exit))))
    }

    /// Returns the same proxy, with a new tunnel for each https request. Each request may then have another exit IP.
    ///
    /// Without this, an HTTP client keeps a tunnel open for later requests to the same site, and a tunnel keeps its exit IP. An
    /// adapter for an HTTP library can obey ``isRotating``; the URL and the headers do not change. A request for an http page has
    /// no tunnel, so the proxy chooses the exit IP for each such request.
    ///
    /// If this proxy holds an exit IP, the returned one does not.
    public func rotating() -> Proxy {
        // This cannot fail: everything in the proxy has been checked.
        Proxy(try! Native.functions.invoke(proxyRotating(proxy: input)))
    }

    /// Returns the same proxy, which then holds one exit IP: requests to any site, over any number of connections, come from this
    /// address. A login at a site often needs that.
    ///
    /// This makes one check to find an exit IP that fits the exit choice, and then asks for this one (``ExitChoice/holdIP``). If the
    /// proxy loses the address, requests go on with another one. ``lostExit(used:missing:)`` reads the headers of a response, and
    /// ``check(target:timeout:)`` reports it too. Call this again to hold another address.
    ///
    /// ```swift
    /// let session = try await proxy.session()
    /// print("every request comes from", session.exit.holdIP ?? "")
    /// ```
    ///
    /// - Parameters:
    ///   - target: The `host:port` to connect to. It sees a connection, but receives no data.
    ///   - timeout: The time limit.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `target` if it is not `host:port`, ``ProxyMeshError/config(_:)``
    ///   if the time limit is not positive, `CancellationError` if the task is cancelled, and an error with the reason if the proxy did
    ///   not respond, refused, or did not say which exit IP it used. A 407 is ``ProxyMeshError/authentication(_:)``.
    public func session(target: String = "proxymesh.com:443", timeout: Duration = .seconds(10)) async throws -> Proxy {
        let call = proxySession(proxy: input, target: target, timeout: timeout.inSeconds)
        return Proxy(try await Native.library.later(call))
    }

    /// Finds an exit IP and holds it, on this thread, which is blocked meanwhile. Otherwise, this is the same as
    /// ``session(target:timeout:)``.
    ///
    /// - Parameters:
    ///   - target: The `host:port` to connect to. It sees a connection, but receives no data.
    ///   - timeout: The time limit.
    /// - Throws: The errors of ``session(target:timeout:)``, except `CancellationError`.
    @available(*, noasync, message: "blocks the thread; await session(target:timeout:) instead")
    public func sessionBlocking(
        target: String = "proxymesh.com:443", timeout: Duration = .seconds(10)
    ) throws(ProxyMeshError) -> Proxy {
        let call = proxySession(proxy: input, target: target, timeout: timeout.inSeconds)
        return Proxy(try Native.library.wait(call))
    }

    /// Returns why a request did not go through the exit IP that this proxy holds; `nil` if it did, if the proxy holds none, or if the
    /// response does not say.
    ///
    /// - Parameters:
    ///   - used: The value of `X-ProxyMesh-IP` in the proxy's response.
    ///   - missing: The value of `X-ProxyMesh-IP-Not-Found` in the proxy's response.
    public func lostExit(used: String?, missing: String?) -> String? {
        guard exit.holdIP != nil else { return nil }
        // This cannot fail: everything in the proxy has been checked.
        return try! Native.functions.invoke(proxyLostExit(proxy: input, used: used, missing: missing))
    }

    /// The URL with the proxy's credentials, for any HTTP library. They are percent-encoded, so they may contain `@` or `:`. The
    /// URL contains the password, so keep it out of logs. If the proxy has no credentials, this is ``plainURL``. An exit choice
    /// cannot go into a URL; use ``headers()``.
    ///
    /// - Throws: ``ProxyMeshError/validation(_:)`` if the credentials are a token. A token cannot go into a URL; use ``headers()``.
    public func url() throws(ProxyMeshError) -> URL {
        // The core percent-encodes the credentials.
        URL(string: try Native.library.now(proxyUrl(proxy: input)))!
    }

    /// The URL with these credentials instead of the proxy's own, for any HTTP library. They are percent-encoded, so they may
    /// contain `@` or `:`. The URL contains the password, so keep it out of logs.
    ///
    /// - Parameters:
    ///   - username: The username of the account or of a sub-account.
    ///   - password: The password for the username.
    public func url(username: String, password: String) -> URL {
        // Neither line can fail: the host and port are already checked, and the credentials are percent-encoded.
        let call = proxyUrlWith(proxy: withoutCredentials().input, username: username, password: password)
        return URL(string: try! Native.functions.invoke(call))!
    }

    /// The headers to send to the proxy: on the `CONNECT` request for an https target, and on the request itself for an http
    /// target. `Proxy-Authorization` contains the credentials, as Basic in UTF-8 or as Bearer. Keep it out of logs. Without
    /// credentials and an exit choice, there are no headers.
    ///
    /// ```swift
    /// let proxy = try Proxy(host: "open.proxymesh.com").using(client).steered(ExitChoice(country: "DE"))
    /// let lines = try proxy.headers().map { "\($0): \($1)\r\n" }.joined()
    /// let connect = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\(lines)\r\n"
    /// ```
    ///
    /// Pass the headers to a library only if it sends them to the proxy alone. Do not pass them to `URLSession`, which sends the
    /// headers of a request to the site. On Apple platforms, it cannot set the headers of a `CONNECT`. On Linux, it ignores
    /// `connectionProxyDictionary`, so the request does not go through the proxy.
    public func headers() throws(ProxyMeshError) -> [String: String] {
        try Native.library.now(proxyHeaders(proxy: input))
    }

    /// Checks the proxy: asks it to open a tunnel to `target`, and closes the tunnel. A refusal, an unreachable proxy and a time-out
    /// are results, not errors.
    ///
    /// - Parameters:
    ///   - target: The `host:port` to connect to. It sees a connection, but receives no data.
    ///   - timeout: The time limit for the check.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `target` if it is not `host:port`, ``ProxyMeshError/config(_:)``
    ///   if the time limit is not positive, `CancellationError` if the task is cancelled.
    public func check(target: String = "proxymesh.com:443", timeout: Duration = .seconds(10)) async throws -> ProxyCheck {
        let call = proxyCheck(proxy: input, target: target, timeout: timeout.inSeconds)
        return ProxyCheck(try await Native.library.later(call))
    }

    /// Checks the proxy on this thread, which is blocked meanwhile. Otherwise, this is the same as ``check(target:timeout:)``.
    ///
    /// - Parameters:
    ///   - target: The `host:port` to connect to. It sees a connection, but receives no data.
    ///   - timeout: The time limit for the check.
    /// - Throws: ``ProxyMeshError/validation(_:)`` with the field `target` if it is not `host:port`, ``ProxyMeshError/config(_:)``
    ///   if the time limit is not positive.
    @available(*, noasync, message: "blocks the thread; await check(target:timeout:) instead")
    public func checkBlocking(
        target: String = "proxymesh.com:443", timeout: Duration = .seconds(10)
    ) throws(ProxyMeshError) -> ProxyCheck {
        let call = proxyCheck(proxy: input, target: target, timeout: timeout.inSeconds)
        return ProxyCheck(try Native.library.wait(call))
    }
}

extension Proxy: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The proxy as `domain:port`.
    public var description: String { "\(host):\(port)" }

    /// The proxy as `domain:port`.
    public var debugDescription: String { description }

    /// The address and the exit choice, with the credentials redacted.
    public var customMirror: Mirror {
        let shown = login == nil ? "none" : "[redacted]"
        return Mirror(
            self, children: ["host": host, "port": port, "exit": exit, "isRotating": isRotating, "credentials": shown],
            displayStyle: .struct)
    }
}

/// How to authenticate to a proxy: credentials that can be compared.
private enum Login: Sendable, Hashable {
    case basic(username: String, password: String)
    case bearer(token: String)

    init(_ credentials: Credentials) {
        switch credentials {
        case .basic(let username, let password): self = .basic(username: username, password: password)
        case .bearer(let token): self = .bearer(token: token)
        }
    }

    var credentials: Credentials {
        switch self {
        case .basic(let username, let password): .basic(username: username, password: password)
        case .bearer(let token): .bearer(token: token)
        }
    }
}
