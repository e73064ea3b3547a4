import Foundation
import ProxyMesh
import ProxyMeshTesting
import TestSupport
import Testing

extension ProxyMeshTests {
    /// The sandbox's proxies, reached with what a `Proxy` says, and checks of them.
    @Suite struct ProxiesTests {
        private let site: Server
        private var target: String { "127.0.0.1:\(site.baseURL.port!)" }

        init() throws {
            site = try Server(.answer(200, "here"))
        }

        /// Opens a tunnel to the site with these headers, and makes a request through it. Returns the status of the proxy, and the
        /// response of the site.
        private func tunnel(_ proxy: ProxyMesh.Proxy, _ headers: [String: String]) throws -> (status: Int, body: String) {
            let connection = try Connection(host: proxy.address.host, port: proxy.address.port)
            defer { connection.close() }
            let lines = headers.map { "\($0): \($1)\r\n" }.joined()
            connection.write(Array("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\(lines)\r\n".utf8))
            var head = ""
            while !head.contains("\r\n\r\n") {
                let bytes = connection.read()
                try #require(!bytes.isEmpty, "the proxy closed the connection")
                head += String(decoding: bytes, as: UTF8.self)
            }
            let status = try #require(Int(head.split(separator: " ")[1]))
            guard status == 200 else { return (status, "") }
            connection.write(Array("GET / HTTP/1.1\r\nHost: \(target)\r\nConnection: close\r\n\r\n".utf8))
            var text = ""
            while !text.hasSuffix("here") {
                let bytes = connection.read()
                try #require(!bytes.isEmpty, "the site closed the connection")
                text += String(decoding: bytes, as: UTF8.self)
            }
            return (status, text)
        }

        @Test func aTunnelWorksWithAnyCredentials() async throws {
            defer { site.close() }
            let hard = "@:/% é+ß"
            let sandbox = try newSandbox(password: hard, hasProxies: true)
            let client = try Client(username: username, password: hard, baseURL: sandbox.baseURL)
            try await client.subAccounts.create("crawler+1", password: hard)
            let plain = try await client.proxies.pool(usingCredentials: false).next()
            let token = try await client.tokens.create().secret
            let known = [
                try await client.proxies.pool().next(), try plain.using(username: username, password: hard),
                try plain.using(client), try plain.using(username: "crawler+1", password: hard), try plain.using(token: token),
            ]
            for proxy in known {
                let answer = try tunnel(proxy, proxy.headers())
                #expect(answer.status == 200 && answer.body.hasPrefix("HTTP/1.1 200"))
            }
            for proxy in [plain, known[0].withoutCredentials(), try plain.using(username: username, password: "wrong")] {
                #expect(try tunnel(proxy, proxy.headers()).status == 407)
            }
            // An HTTP library decodes the credentials of the URL and sends them as Basic.
            for proxy in known.dropLast() {
                let url = try proxy.url()
                let decoded = [url.user(percentEncoded: false), url.password(percentEncoded: false)].compactMap { $0 }
                let basic = Data(decoded.joined(separator: ":").utf8).base64EncodedString()
                #expect(try proxy.headers() == ["Proxy-Authorization": "Basic \(basic)"])
                #expect(decoded.last == hard && url.port == proxy.port)
            }
            #expect(site.requests.count == known.count)
            #expect(site.requests.allSatisfy { !$0.headers.keys.contains("proxy-authorization") })
        }

        @Test func aProxyIsAskedForTheChosenExit() async throws {
            defer { site.close() }
            let sandbox = try newSandbox(hasProxies: true)
            let client = try Client(username: username, password: password, baseURL: sandbox.baseURL)
            try await client.proxies.add("open")
            let proxy = try await client.proxies.pool(countries: ["DE"]).next()
            #expect(proxy.name == "open" && proxy.exit.country == "DE")
            #expect(try tunnel(proxy, proxy.headers()).status == 200)
            let asked = try #require(try sandbox.proxiedRequests().last)
            #expect(asked.country == "DE")
        }

        @Test func aProxyRotatesOrHoldsAnExitIP() async throws {
            defer { site.close() }
            let sandbox = try newSandbox(hasProxies: true)
            let client = try Client(username: username, password: password, baseURL: sandbox.baseURL)
            let blocking = try BlockingClient(username: username, password: password, baseURL: sandbox.baseURL)
            let pool = try client.proxies.pool(rotating: true)
            let blockingPool = try blockingly { try blocking.proxies.pool(rotating: true) }
            let rotating = try await pool.next()
            #expect(try rotating.isRotating && blockingly { try blockingPool.next() }.isRotating)
            #expect(try rotating.steered(ExitChoice(preferIP: "192.0.2.7")).isRotating)
            #expect(try rotating.using(token: "pm_x").isRotating && rotating.withoutCredentials().isRotating)
            let plain = try Proxy(host: rotating.host, port: rotating.port).using(client)
            #expect(plain != rotating && plain.rotating() == rotating && plain.lostExit(used: "192.0.2.8", missing: nil) == nil)
            let sessions = [
                try await rotating.session(), try blockingly { try rotating.sessionBlocking() }, try await pool.session(),
                try blockingly { try blockingPool.session() },
            ]
            for session in sessions {
                let held = try #require(session.exit.holdIP)
                #expect(!session.isRotating)
                #expect(try await session.check(target: target).exitIP == held)
                #expect(session.lostExit(used: held, missing: nil) == nil)
                #expect(session.lostExit(used: nil, missing: nil) == nil)
                #expect(session.lostExit(used: nil, missing: held)?.contains("no longer has the exit IP \(held);") == true)
                let lost = try #require(session.lostExit(used: "192.0.2.8", missing: nil))
                #expect(lost.contains("no longer has the exit IP \(held) and used 192.0.2.8"))
                #expect(session.rotating().isRotating && session.rotating().exit == .any)
                #expect(try JSONDecoder().decode(ExitChoice.self, from: JSONEncoder().encode(session.exit)) == session.exit)
            }
            let refused = await failure { try await plain.using(username: username, password: "wrong").session() }
            guard case .authentication(let refusal) = refused else { throw Unexpected(refused) }
            #expect(refusal.status == 407)
            #expect(failureNow { try ExitChoice(preferIP: "192.0.2.7", holdIP: "192.0.2.8") }?.kind == .validation)
        }

        @Test func aCheckSaysWhetherTheProxyCanBeUsed() async throws {
            defer { site.close() }
            let sandbox = try newSandbox(hasProxies: true)
            let client = try Client(username: username, password: password, baseURL: sandbox.baseURL)
            let pool = try client.proxies.pool()
            let proxy = try await pool.next()
            func both(_ proxy: ProxyMesh.Proxy) async throws -> [ProxyCheck] {
                [try await proxy.check(target: target), try blockingly { try proxy.checkBlocking(target: target) }]
            }
            for check in try await both(proxy) {
                #expect(check.isOK && check.isReachable && check.status == 200)
                #expect(check.exitIP != nil && check.error == nil && !check.preferredIPIsGone)
                #expect(check.latency > .zero && check.latency < .seconds(10))
                #expect(check.meaning == "the proxy accepted the connection")
                #expect(try pool.report(proxy, check) == nil)
            }
            #expect(try #require(pool.stats()[0].latency) > .zero)
            for check in try await both(proxy.steered(ExitChoice(preferIP: "203.0.113.250"))) {
                #expect(check.isOK && check.preferredIPIsGone)
            }
            for check in try await both(proxy.withoutCredentials()) {
                #expect(!check.isOK && check.isReachable && check.status == 407)
                #expect(check.error != nil && check.exitIP == nil)
                #expect(check.meaning.hasPrefix("the proxy does not recognise you"))
            }
            #expect(try pool.report(proxy, await proxy.withoutCredentials().check(target: target)) == .seconds(60))
            let listener = try Listener.freePort()
            for check in try await both(Proxy(host: "127.0.0.1", port: Int(listener))) {
                #expect(!check.isOK && !check.isReachable && check.status == nil && check.error == nil)
                #expect(check.meaning.hasPrefix("could not reach the proxy: "))
            }
        }

        @Test func aCheckHasATimeLimitAndCanBeCancelled() async throws {
            defer { site.close() }
            let silent = try Server(.hang)
            defer { silent.close() }
            let proxy = try Proxy(host: "127.0.0.1", port: #require(silent.baseURL.port))
            let start = ContinuousClock.now
            for check in [
                try await proxy.check(timeout: .milliseconds(100)),
                try blockingly { try proxy.checkBlocking(timeout: .milliseconds(100)) },
            ] {
                #expect(check.meaning == "no response within 0.1 s")
                #expect(check.latency >= .milliseconds(100))
            }
            let checking = Task { try await proxy.check(timeout: .seconds(60)) }
            try await until("it is sent") { silent.requests.count == 3 }
            checking.cancel()
            await #expect(throws: CancellationError.self) { try await checking.value }
            try await until("its connection is closed") { silent.open == 0 }
            #expect(ContinuousClock.now - start < .seconds(20))
        }

        @Test func anInvalidCheckIsRejected() async throws {
            defer { site.close() }
            let proxy = try Proxy(host: "us-ca.proxymesh.com")
            for target in ["", "nowhere", "x:0", "x:65536", "a b:1", ":1", "http://x:1"] {
                guard case .validation(let error) = await failure({ try await proxy.check(target: target) }) else {
                    Issue.record("the core accepts the target \(target)")
                    continue
                }
                #expect(error.field == "target")
                #expect(failureNow { try proxy.checkBlocking(target: target) } == .validation(error))
            }
            for time in [.zero, .seconds(-1), .nanoseconds(-1), .seconds(-1.7e20)] as [Duration] {
                #expect(await failure { try await proxy.check(timeout: time) }?.kind == .config)
                #expect(failureNow { try proxy.checkBlocking(timeout: time) }?.kind == .config)
            }
        }
    }
}

private struct Unexpected: Error {
    let error: (any Error)?

    init(_ error: (any Error)?) {
        self.error = error
    }
}
