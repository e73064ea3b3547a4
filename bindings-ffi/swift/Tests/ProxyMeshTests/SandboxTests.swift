import Foundation
import ProxyMesh
import ProxyMeshTesting
import TestSupport
import Testing

extension ProxyMeshTests {
    /// Makes calls as users write them, with the types of Swift, against the emulated service.
    @Suite struct SandboxTests {
        private var inAYear: DateComponents {
            let date = Calendar(identifier: .gregorian).date(byAdding: .year, value: 1, to: Date())!
            return Calendar(identifier: .gregorian).dateComponents([.year, .month, .day], from: date)
        }

        @Test func theClientAcceptsAndReturnsTypesOfTheLanguage() async throws {
            let sandbox = try newSandbox()
            let client = try Client(username: username, password: password, baseURL: sandbox.baseURL)
            let proxy = try #require(try await client.proxies.list().first)
            #expect(try await client.proxies.add(proxy) == proxy.host)
            try await client.proxies.delete(proxy)
            #expect(try await client.geo.open().values.allSatisfy { $0 >= 0 })
            #expect(try await client.geo.world()["US"] != nil)

            let made = try await client.subAccounts.create(
                "crawler-1", password: subPassword, firstName: "Zoë", lastName: "O", email: "z@ex.com", monthlyLimit: 5,
                totalLimit: 50)
            #expect(made.monthlyBandwidthLimit == 5 && made.totalBandwidthLimit == 50)
            #expect(try await client.subAccounts.edit("crawler-1", monthlyLimit: 7).monthlyBandwidthLimit == 7)
            try sandbox.addUsage(1.5, to: "crawler-1")
            let found = try await client.subAccounts.get("crawler-1")
            #expect(found.monthlyBandwidth == 1.5 && found.totalBandwidth == 1.5)
            #expect([found.firstName, found.lastName, found.email] == ["Zoë", "O", "z@ex.com"])
            #expect(try await client.subAccounts.deactivate("crawler-1").isActive == false)
            #expect(try await client.subAccounts.activate("crawler-1").isActive)

            #expect(try await client.ips.add("203.0.113.7", label: "office") == "203.0.113.7")
            #expect(try await client.ips.labels() == [LabeledIP(ip: "203.0.113.7", label: "office")])
            #expect(try await client.ips.list() == ["203.0.113.7"])
            try await client.ips.delete("203.0.113.7")
            try await client.ips.add("2001:db8::7", username: "crawler-1")
            #expect(try await client.ips.list(username: "crawler-1") == ["2001:db8::7"])

            #expect(try await client.hostnames.add("a.example") == "a.example")
            #expect(try await client.hostnames.list() == ["a.example"])
            try await client.hostnames.delete("a.example")

            let new = try await client.tokens.create(label: "ci", expiresAt: inAYear)
            #expect(new.secret.hasPrefix("pm_") == true)
            #expect(new.expiresAt == inAYear)
            #expect(abs(new.createdAt.timeIntervalSinceNow) < 60)
            #expect(try await client.tokens.list() == [new.token])
            #expect(try await client.tokens.deactivate(new.id).isActive == false)
            #expect(try await client.tokens.activate(new.id).isActive)
            #expect(try await Client(token: new.secret, baseURL: sandbox.baseURL).ips.list() == [])
            try await client.tokens.delete(new.id)

            try await client.subAccounts.delete("crawler-1")
            let error = try #require(await failure { try await client.subAccounts.get("crawler-1") })
            #expect(error.kind == .notFound && error.call == "sub_accounts.get")
        }

        @Test func theBlockingClientAcceptsAndReturnsTypesOfTheLanguage() throws {
            let sandbox = try newSandbox()
            let client = try BlockingClient(username: username, password: password, baseURL: sandbox.baseURL)
            let proxy = try #require(try client.proxies.list().first)
            #expect(try client.proxies.add(proxy) == proxy.host)
            try client.proxies.delete(proxy)
            #expect(try client.geo.open().values.allSatisfy { $0 >= 0 })
            #expect(try client.geo.world()["US"] != nil)

            let made = try client.subAccounts.create(
                "crawler-1", password: subPassword, firstName: "Zoë", lastName: "O", email: "z@ex.com", monthlyLimit: 5,
                totalLimit: 50)
            #expect(made.monthlyBandwidthLimit == 5 && made.totalBandwidthLimit == 50)
            #expect(try client.subAccounts.edit("crawler-1", monthlyLimit: 7).monthlyBandwidthLimit == 7)
            #expect(try client.subAccounts.get("crawler-1").firstName == "Zoë")
            #expect(try client.subAccounts.deactivate("crawler-1").isActive == false)
            #expect(try client.subAccounts.activate("crawler-1").isActive)

            #expect(try client.ips.add("203.0.113.7", label: "office") == "203.0.113.7")
            #expect(try client.ips.labels() == [LabeledIP(ip: "203.0.113.7", label: "office")])
            #expect(try client.ips.list() == ["203.0.113.7"])
            try client.ips.delete("203.0.113.7")

            #expect(try client.hostnames.add("a.example") == "a.example")
            #expect(try client.hostnames.list() == ["a.example"])
            try client.hostnames.delete("a.example")

            let new = try client.tokens.create(label: "ci")
            #expect(new.secret.hasPrefix("pm_") == true)
            #expect(try client.tokens.list() == [new.token])
            #expect(try client.tokens.deactivate(new.id).isActive == false)
            #expect(try client.tokens.activate(new.id).isActive)
            try client.tokens.delete(new.id)
            try client.subAccounts.delete("crawler-1")
        }

        @Test func aProxyIsReachedAtItsAddressAndTheSiteGetsNoHeaderForTheProxy() throws {
            let sandbox = try newSandbox(hasProxies: true)
            let site = try Server(.answer(200, "here"))
            defer { site.close() }
            let client = try BlockingClient(username: username, password: password, baseURL: sandbox.baseURL)
            let proxy = try #require(try client.proxies.list().first)
            #expect(proxy.host == "us-ca.localhost")
            #expect(proxy.address.host == "localhost")
            #expect(proxy.address.port == proxy.port)

            func get(_ headers: [String: String]) throws -> String {
                let connection = try Connection(host: proxy.address.host, port: proxy.address.port)
                defer { connection.close() }
                let lines = headers.map { "\($0): \($1)\r\n" }.joined()
                let authority = site.baseURL.absoluteString.dropFirst("http://".count)
                let head = "GET \(site.baseURL)/ HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n\(lines)\r\n"
                connection.write(Array(head.utf8))
                return connection.readToEnd()
            }
            #expect(try get([:]).hasPrefix("HTTP/1.1 407"))
            let answer = try get(proxy.using(client).headers())
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix("here"))
            #expect(site.requests.count == 1)
            #expect(site.requests.allSatisfy { !$0.headers.keys.contains("proxy-authorization") })
        }

        @Test func aCallThatIsSafeToRepeatIsRetried() throws {
            let sandbox = try newSandbox()
            try sandbox.inject(.status(429, headers: ["Retry-After": "0"]), path: "/api/proxies/")
            let client = try BlockingClient(username: username, password: password, baseURL: sandbox.baseURL)
            #expect(try !client.proxies.list().isEmpty)
            #expect(try sandbox.requests().map(\.status) == [429, 200])
        }
    }
}
