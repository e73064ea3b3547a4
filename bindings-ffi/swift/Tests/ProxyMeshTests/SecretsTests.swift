import Foundation
import ProxyMesh
import TestSupport
import Testing

extension ProxyMeshTests {
    /// Nothing that is printed, dumped or mirrored contains a secret, nor does any error.
    @Suite struct SecretsTests {
        private func shown(_ value: Any) -> String {
            var dumped = ""
            dump(value, to: &dumped)
            func mirrored(_ value: Any, _ depth: Int) -> String {
                guard depth < 5 else { return "" }
                return Mirror(reflecting: value).children
                    .map { "\($0.label ?? ""): \($0.value) \(mirrored($0.value, depth + 1))" }.joined()
            }
            return [dumped, mirrored(value, 0), "\(value)", String(reflecting: value), "\([value])", "\(["k": value])"].joined()
        }

        private func check(_ text: String) {
            let canaries = [password, subPassword, token, basic.replacingOccurrences(of: "Basic ", with: "")]
            #expect(!canaries.contains { text.contains($0) } == true)
        }

        @Test func theSecretOfATokenIsRedacted() {
            let new = NewToken(token: Token(id: 1, label: "ci", createdAt: Date(timeIntervalSince1970: 0)), secret: token)
            let text = shown(new)
            check(text)
            check(shown(Optional(new) as Any))
            #expect(text.contains("[redacted]"))
            #expect("\(new)" == "NewToken(token: \(new.token), secret: \"[redacted]\")")
            #expect((new.secret == token) == true && new.label == "ci")
        }

        @Test func clientsShowNothing() throws {
            let client = try Client(username: username, password: password)
            check(shown(client))
            check(shown(client.subAccounts))
            check(shown(try Client(token: token)))
            let blocking = try BlockingClient(username: username, password: password)
            check(shown(blocking))
        }

        @Test func theCredentialsOfAProxyAreRedacted() throws {
            let plain = try Proxy(host: "open.proxymesh.com").steered(ExitChoice(country: "DE"))
            let client = try BlockingClient(username: username, password: password)
            for proxy in [
                try plain.using(username: username, password: password), try plain.using(token: token), try plain.using(client),
            ] {
                let text = shown(proxy)
                check(text)
                check(shown(Optional(proxy) as Any))
                check(shown(ProxyStats(proxy: proxy)))
                check(shown([proxy: 1]))
                #expect(text.contains("[redacted]") && text.contains("DE"))
                #expect("\(proxy)" == "open.proxymesh.com:31280")
                #expect(String(reflecting: proxy) == "open.proxymesh.com:31280")
            }
            #expect(!shown(plain).contains("[redacted]"))
        }

        @Test func poolsShowNothing() async throws {
            let server = try Server(.answer(200, #"{"proxies": ["us-ca.proxymesh.com:31280"]}"#))
            defer { server.close() }
            let client = try Client(username: username, password: password, baseURL: server.baseURL)
            let pool = try client.proxies.pool()
            let proxy = try await pool.next()
            check(shown(pool))
            check(shown(pool.stats()))
            try pool.report(proxy, .failure)
            check(shown(pool.cooling()))
            check(shown(try #require(await failure { try await pool.next() })))
        }

        @Test func errorsShowNothing() async throws {
            let echo = try Server { request in
                .answer(400, #"{"error": "\#(request.headers["authorization"] ?? "") \#(password)"}"#)
            }
            defer { echo.close() }
            let client = try Client(username: username, password: password, baseURL: echo.baseURL)
            let proxy = try Proxy(host: "open.proxymesh.com")
            let errors: [ProxyMeshError?] = [
                failureNow { try Client(username: username, password: password, token: token) },
                failureNow {
                    try Client(username: username, password: password, baseURL: URL(string: "https://x:\(password)@y"))
                },
                failureNow { try Client(username: username, password: password, timeout: .zero) },
                failureNow { try proxy.using(username: "", password: password) },
                failureNow { try proxy.using(username: "a:\(password)", password: password) },
                failureNow { try proxy.using(username: username, password: "\(password)\n") },
                failureNow { try proxy.using(token: "\(token):") },
                failureNow { try proxy.using(token: token).url() },
                failureNow { try proxy.using(token: token).checkBlocking(target: "nowhere") },
                failureNow { try Proxy(host: "us-ca.x").using(token: token).steered(ExitChoice(country: "DE")) },
                await failure { try await client.ips.list() },
                await failure { try await client.subAccounts.create("x", password: subPassword + "\u{0}") },
                await failure { try await client.subAccounts.create("x", password: String(repeating: subPassword, count: 10)) },
            ]
            for error in errors {
                check(shown(try #require(error)))
            }
        }
    }
}
