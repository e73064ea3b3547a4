#if os(macOS) || os(Linux)
    import Foundation
    import ProxyMesh

    /// An emulation of the service, for testing code that uses the SDK. It is a real server on this machine, with the state, the
    /// limits and the errors of the service, and it is as strict. Each sandbox is an account of its own.
    ///
    /// ```swift
    /// @Suite struct CrawlerTests {
    ///     let sandbox: Sandbox
    ///
    ///     init() throws {
    ///         sandbox = try Sandbox()
    ///     }
    ///
    ///     @Test func theCrawlerAuthorisesItsIP() async throws {
    ///         try await Crawler(client: sandbox.client()).start()
    ///         #expect(try sandbox.requests().map(\.path) == ["/api/ip/add/"])
    ///     }
    /// }
    /// ```
    ///
    /// Swift Testing creates the suite for each test, so each test has a sandbox of its own. In XCTest, create it in `setUpWithError`
    /// and call ``stop()`` in `tearDown`. In other code, ``run(isolation:_:)`` stops it at the end of a closure.
    ///
    /// The server is the program `proxymesh-sandbox`, in a process of its own. The process ends with ``stop()``, when nothing refers to
    /// the sandbox any more, and when this process ends, even if it is killed. `make swift` builds the program, and so does
    /// `cargo install proxymesh-sandbox`. The SDK looks for it in these places, in this order:
    ///
    /// 1. the path in the environment variable `PROXYMESH_SANDBOX_PROGRAM`
    /// 2. the folders in `LIBRARY_PATH`, where the linker finds the native library
    /// 3. the folders in `PATH`
    /// 4. `~/.cargo/bin`
    ///
    /// The functions block for about a millisecond, so they are not async. They work on macOS and Linux. Other Apple platforms do
    /// not let an app start a program.
    public final class Sandbox: Sendable {
        /// The base URL to pass to a client.
        public let baseURL: URL
        /// The username of the parent account.
        public let username: String
        /// The password of the parent account.
        public let password: String

        private let server: Server
        private let controls: Controls

        /// The plans. They limit tokens, sub-accounts and proxies.
        public enum Plan: String, Sendable, Hashable, CaseIterable {
            /// The free trial, which has no tokens.
            case trial
            /// ProxyMesh 10.
            case proxyMesh10 = "10"
            /// ProxyMesh 20.
            case proxyMesh20 = "20"
            /// ProxyMesh 50.
            case proxyMesh50 = "50"
            /// ProxyMesh 100.
            case proxyMesh100 = "100"
        }

        /// Starts a sandbox.
        ///
        /// - Parameters:
        ///   - username: The username of the parent account.
        ///   - password: The password of the parent account.
        ///   - plan: The plan of the account.
        ///   - hasProxies: Whether the proxies run as well, each on a free port. The API lists them as `us-ca.localhost:PORT`.
        ///   - monthlyLimit: The account's limit per month in gigabytes. Once it is reached, the proxies respond with 509. 0 means no
        ///     limit.
        /// - Throws: ``SandboxError`` if an option is invalid, or the program cannot be found or started.
        public init(
            username: String = "parent",
            password: String = "parent-password",
            plan: Plan = .proxyMesh50,
            hasProxies: Bool = false,
            monthlyLimit: Int = 0
        ) throws(SandboxError) {
            var flags = ["--until-eof", "--username", username, "--plan", plan.rawValue]
            if hasProxies { flags.append("--proxies") }
            if monthlyLimit != 0 { flags += ["--monthly-limit", "\(monthlyLimit)"] }
            server = try Server(flags, environment: ["PROXYMESH_SANDBOX_PASSWORD": password])
            self.username = username
            self.password = password
            baseURL = server.url
            controls = Controls(port: server.port)
        }

        deinit {
            stop()
        }

        /// Stops the server. You may stop a sandbox twice.
        public func stop() {
            server.stop()
        }

        /// Calls `body` with this sandbox, and then stops it.
        ///
        /// ```swift
        /// try await Sandbox(plan: .trial).run { sandbox in
        ///     try await sandbox.client().ips.add("203.0.113.7")
        /// }
        /// ```
        ///
        /// - Parameters:
        ///   - isolation: The actor on which `body` runs; by default, the caller's.
        ///   - body: What to do while the sandbox runs.
        /// - Returns: What `body` returns.
        /// - Throws: What `body` throws.
        public func run<Given: Sendable>(
            isolation: isolated (any Actor)? = #isolation, _ body: (Sandbox) async throws -> Given
        ) async rethrows -> Given {
            defer { stop() }
            return try await body(self)
        }

        /// Calls `body` with this sandbox, and then stops it.
        ///
        /// - Parameter body: What to do while the sandbox runs.
        /// - Returns: What `body` returns.
        /// - Throws: What `body` throws.
        public func run<Given>(_ body: (Sandbox) throws -> Given) rethrows -> Given {
            defer { stop() }
            return try body(self)
        }

        /// Creates a client of the parent account.
        ///
        /// - Throws: `ProxyMeshError.config` if an environment variable for certificates is invalid.
        public func client() throws(ProxyMeshError) -> Client {
            try Client(username: username, password: password, baseURL: baseURL)
        }

        /// Creates a blocking client of the parent account.
        ///
        /// - Throws: `ProxyMeshError.config` if an environment variable for certificates is invalid.
        public func blockingClient() throws(ProxyMeshError) -> BlockingClient {
            try BlockingClient(username: username, password: password, baseURL: baseURL)
        }

        /// Returns the API calls that have arrived, oldest first.
        ///
        /// - Throws: ``SandboxError`` if the sandbox is stopped.
        public func requests() throws(SandboxError) -> [RecordedRequest] {
            try controls.get("requests")
        }

        /// Forgets the API calls that have arrived.
        ///
        /// - Throws: ``SandboxError`` if the sandbox is stopped.
        public func clearRequests() throws(SandboxError) {
            try controls.delete("requests")
        }

        /// Returns the requests that the proxies have received, oldest first. There are none if the sandbox has no proxies.
        ///
        /// - Throws: ``SandboxError`` if the sandbox is stopped.
        public func proxiedRequests() throws(SandboxError) -> [ProxiedRequest] {
            try controls.get("proxied")
        }

        /// Forgets the requests that the proxies have received.
        ///
        /// - Throws: ``SandboxError`` if the sandbox is stopped.
        public func clearProxiedRequests() throws(SandboxError) {
            try controls.delete("proxied")
        }

        /// Makes the next matching calls fail. If several faults match a call, the one that was injected first applies.
        ///
        /// ```swift
        /// try sandbox.inject(.status(503), path: "/api/proxies/", times: 2)
        /// ```
        ///
        /// - Parameters:
        ///   - fault: How they fail.
        ///   - method: Applies only to calls with this method.
        ///   - path: Applies only to calls with this path, such as `/api/ip/add/`.
        ///   - times: How many calls meet it; 0 means all.
        ///   - skipped: How many matching calls pass first.
        /// - Throws: ``SandboxError`` if the fault is invalid, or the sandbox is stopped.
        public func inject(
            _ fault: Fault, method: String? = nil, path: String? = nil, times: Int = 1, after skipped: Int = 0
        ) throws(SandboxError) {
            try controls.post("faults", Injection(fault, method: method, path: path, times: times, after: skipped))
        }

        /// Makes the next requests to a proxy fail. If several faults match a request, the one that was injected first applies.
        ///
        /// ```swift
        /// try sandbox.inject(.status(502), proxy: "us-ca")
        /// ```
        ///
        /// - Parameters:
        ///   - fault: How they fail: a status, ``Fault/drop``, ``Fault/reset`` or a delay.
        ///   - proxy: The proxy's name, such as `us-ca`.
        ///   - times: How many requests meet it; 0 means all.
        ///   - skipped: How many requests pass first.
        /// - Throws: ``SandboxError`` if the fault is invalid, or the sandbox is stopped.
        public func inject(
            _ fault: Fault, proxy: String, times: Int = 1, after skipped: Int = 0
        ) throws(SandboxError) {
            try controls.post("faults", Injection(fault, proxy: proxy, times: times, after: skipped))
        }

        /// Forgets the faults that no call has met yet.
        ///
        /// - Throws: ``SandboxError`` if the sandbox is stopped.
        public func clearFaults() throws(SandboxError) {
            try controls.delete("faults")
        }

        /// Returns how many injected faults still wait for a call.
        ///
        /// - Throws: ``SandboxError`` if the sandbox is stopped.
        public func pendingFaultCount() throws(SandboxError) -> Int {
            let pending: [Pending] = try controls.get("faults")
            return pending.count
        }

        /// Returns the sandbox's time, which applies to bans, tokens and billing.
        ///
        /// - Throws: ``SandboxError`` if the sandbox is stopped.
        public func now() throws(SandboxError) -> Date {
            let clock: Clock = try controls.get("clock")
            return clock.now
        }

        /// Moves the sandbox's time forward. The SDK's own waits, such as the cooldown of a pool, do not follow it.
        ///
        /// - Parameter time: How far.
        /// - Throws: ``SandboxError`` if the time is negative, or the sandbox is stopped.
        public func advance(by time: Duration) throws(SandboxError) {
            try controls.post("clock", ["advance_seconds": time / .seconds(1)])
        }

        /// Adds traffic to the parent or to a sub-account.
        ///
        /// - Parameters:
        ///   - gigabytes: How much.
        ///   - username: The account.
        /// - Throws: ``SandboxError`` if there is no such account, the number is invalid, or the sandbox is stopped.
        public func addUsage(_ gigabytes: Double, to username: String) throws(SandboxError) {
            try controls.post("usage", Usage(username: username, gigabytes: gigabytes))
        }

        /// Restores the initial state of the account, of the clock, and of what is recorded and injected.
        ///
        /// - Throws: ``SandboxError`` if the sandbox is stopped.
        public func reset() throws(SandboxError) {
            try controls.post("reset")
        }
    }

    extension Sandbox: CustomStringConvertible, CustomReflectable {
        /// The type and the base URL.
        public var description: String { "Sandbox(baseURL: \(baseURL))" }

        /// The base URL.
        public var customMirror: Mirror { Mirror(self, children: ["baseURL": baseURL]) }
    }

    private struct Clock: Decodable {
        let now: Date
    }

    private struct Usage: Encodable {
        let username: String
        let gigabytes: Double
    }

    /// A fault that no call has met yet, of which nothing is needed.
    private struct Pending: Decodable {}

    /// What goes wrong with a sandbox.
    public struct SandboxError: Error, Sendable, Hashable, CustomStringConvertible, LocalizedError {
        /// What is wrong, and what to do.
        public let description: String

        /// The same text, for `localizedDescription`.
        public var errorDescription: String? { description }

        init(_ description: String) {
            self.description = description
        }
    }
#endif
