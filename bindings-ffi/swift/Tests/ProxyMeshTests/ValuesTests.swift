import Foundation
import ProxyMesh
import TestSupport
import Testing

extension ProxyMeshTests {
    /// The values that calls return can be compared, kept in sets, sent between tasks and printed.
    @Suite struct ValuesTests {
        @Test func valuesAreSendableAndHashable() {
            func check<Value: Sendable & Hashable>(_: Value.Type) {}
            check(SubAccount.self)
            check(LabeledIP.self)
            check(Proxy.self)
            check(ProxyCheck.self)
            check(ProxyStats.self)
            check(ProxyPool.Order.self)
            check(ProxyPool.Outcome.self)
            check(ExitChoice.self)
            check(Token.self)
            check(NewToken.self)
            check(ProxyMeshError.self)
            func checkSendable<Value: Sendable>(_: Value.Type) {}
            checkSendable(Client.self)
            checkSendable(BlockingClient.self)
            checkSendable(Client.SubAccounts.self)
            checkSendable(BlockingClient.Tokens.self)
            checkSendable(ProxyPool.self)
            checkSendable(BlockingProxyPool.self)
            checkSendable(IPFollower.self)
            checkSendable(BlockingIPFollower.self)
        }

        @Test func valuesThatAnAppMayStoreAreCodable() throws {
            func check<Value: Codable & Equatable>(_ value: Value, _ text: String) throws {
                let encoder = JSONEncoder()
                encoder.outputFormatting = .sortedKeys
                let data = try encoder.encode(value)
                #expect(String(decoding: data, as: UTF8.self) == text)
                #expect(try JSONDecoder().decode(Value.self, from: data) == value)
            }
            try check(LabeledIP(ip: "203.0.113.7", label: "office"), #"{"ip":"203.0.113.7","label":"office"}"#)
            try check(
                SubAccount(username: "x", monthlyBandwidth: 1.5, email: "z@ex.com"),
                #"{"email":"z@ex.com","isActive":true,"monthlyBandwidth":1.5,"monthlyBandwidthLimit":0,"totalBandwidth":0,"#
                    + #""totalBandwidthLimit":0,"username":"x"}"#)
            try check(
                Token(
                    id: 7, label: "ci", expiresAt: DateComponents(year: 2030, month: 2, day: 1),
                    createdAt: Date(timeIntervalSinceReferenceDate: 9)),
                #"{"createdAt":9,"expiresAt":{"day":1,"month":2,"year":2030},"id":7,"isActive":true,"label":"ci"}"#)
            try check(ExitChoice(country: "DE", notIPs: ["1.2.3.4"]), #"{"country":"DE","notIPs":["1.2.3.4"]}"#)
            try check(ExitChoice.any, #"{"notIPs":[]}"#)
            let lower = try JSONDecoder().decode(ExitChoice.self, from: Data(#"{"country": "de"}"#.utf8))
            #expect(try lower == ExitChoice(country: "DE"), "it is checked and spelt as if it were made")
            let error = failureNow { try JSONDecoder().decode(ExitChoice.self, from: Data(#"{"country": "Germany"}"#.utf8)) }
            #expect(error?.kind == .validation)
        }

        @Test func aSecretIsNotEncodedByAccident() {
            let new: Any = NewToken(token: Token(id: 1, createdAt: .distantPast), secret: "pm_x")
            #expect(!(new is any Encodable))
        }

        @Test func valuesCompare() throws {
            let ip = LabeledIP(ip: "203.0.113.7", label: "office")
            #expect(ip == LabeledIP(ip: "203.0.113.7", label: "office"))
            #expect(ip != LabeledIP(ip: "203.0.113.7"))
            #expect(Set([ip, ip, LabeledIP(ip: "203.0.113.7")]).count == 2)
            #expect(SubAccount(username: "x") == SubAccount(username: "x"))
            #expect(SubAccount(username: "x") != SubAccount(username: "x", monthlyBandwidth: 1))
            #expect(try Proxy(host: "us-ca.example") == Proxy(host: "us-ca.example", port: 31280))
            #expect(try Proxy(host: "us-ca.example") != Proxy(host: "us-ca.example", port: 1))
            #expect(try Proxy(host: "us-ca.example:8080") == Proxy(host: "us-ca.example", port: 8080))
            let token = Token(id: 1, createdAt: .distantPast)
            #expect(token == Token(id: 1, createdAt: .distantPast))
            #expect(NewToken(token: token, secret: "a") != NewToken(token: token, secret: "b"))
            let error = ProxyMeshError.config(.init(text: "no", reason: "no"))
            #expect(Set([error, error]).count == 1)
        }

        @Test func aProxyHasANameAURLAndAURLWithCredentials() throws {
            let proxy = try Proxy(host: "us-ca.proxymesh.com", port: 31280)
            #expect(proxy.name == "us-ca")
            #expect("\(proxy)" == "us-ca.proxymesh.com:31280")
            #expect(proxy.plainURL.absoluteString == "http://us-ca.proxymesh.com:31280")
            #expect(try proxy.url() == proxy.plainURL)
            let url = proxy.url(username: "me@ex.com", password: "a b").absoluteString
            #expect(url == "http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280")
            let own = try proxy.using(username: "me@ex.com", password: "a b")
            #expect(try own.url().absoluteString == url)
            #expect(own.url(username: "x", password: "y").absoluteString == "http://x:y@us-ca.proxymesh.com:31280")
            #expect(own.plainURL == proxy.plainURL)
            let error = try #require(failureNow { try proxy.using(token: "pm_token").url() })
            #expect(error.kind == .validation)
        }

        @Test func aProxyKeepsItsCredentialsAndItsExitChoice() throws {
            let plain = try Proxy(host: "open.proxymesh.com")
            #expect(plain.exit == .any)
            let germany = try ExitChoice(country: "de")
            let both = try plain.using(username: "me", password: "p").steered(germany)
            #expect(try both == plain.steered(germany).using(username: "me", password: "p"))
            #expect(both.exit.country == "DE")
            #expect(try both.headers() == ["Proxy-Authorization": "Basic bWU6cA==", "X-ProxyMesh-Country": "DE"])
            let replaced = try both.using(token: "pm_x")
            #expect(try replaced.headers() == ["Proxy-Authorization": "Bearer pm_x", "X-ProxyMesh-Country": "DE"])
            #expect(try both.withoutCredentials() == plain.steered(germany))
            #expect(try both.steered(.any).withoutCredentials() == plain)
            #expect(try both.steered(ExitChoice(preferIP: "1.2.3.4")).exit.country == nil, "it replaces the earlier one")

            let own = try Client(username: "me", password: "p")
            #expect(try plain.steered(germany).using(own) == both)
            #expect(try plain.steered(germany).using(BlockingClient(username: "me", password: "p")) == both)
            #expect(try plain.using(Client(token: "pm_x")) == plain.using(token: "pm_x"))
            own.close()
            #expect(failureNow { try plain.using(own) }?.kind == .config)

            #expect(try plain.using(username: "me", password: "p") != plain)
            #expect(try plain.using(username: "me", password: "p") != plain.using(username: "me", password: "q"))
            #expect(try plain.using(token: "pm_x") != plain.using(token: "pm_y"))
            #expect(try Set([plain, plain.steered(.any), plain.steered(germany), both, both]).count == 3)
            for (username, password) in [("", "p"), ("a:b", "p"), ("me", "p\n")] {
                #expect(failureNow { try plain.using(username: username, password: password) }?.kind == .config)
            }
            #expect(failureNow { try plain.using(token: "") }?.kind == .config)
        }

        @Test func aProxyHasAnAddressToConnectTo() throws {
            for (host, address) in [("us-ca.proxymesh.com", "us-ca.proxymesh.com"), ("us-ca.localhost", "localhost")] {
                let proxy = try Proxy(host: host, port: 8080)
                #expect(proxy.address.host == address)
                #expect(proxy.address.port == 8080)
                #expect(proxy.host == host)
            }
        }

        @Test func aProxyHasACountryIfItsNameContainsOne() throws {
            let countries = [("us-ca", "US"), ("uk", "GB"), ("open", nil), ("world", nil), ("usisp", nil)]
            for (name, country) in countries {
                let proxy = try Proxy(host: "\(name).proxymesh.com")
                #expect(proxy.country == country)
                #expect(proxy.choosesCountry == ["open", "world"].contains(name))
            }
        }

        @Test func theHeadersForAProxyContainTheCredentialsInUTF8AndTheExitChoice() throws {
            let open = try Proxy(host: "open.proxymesh.com")
            let exit = try ExitChoice(country: "de", preferIP: "1.2.3.4", notIPs: ["5.6.7.8", "0:0:0:0:0:0:0:1"])
            let asked = [
                "X-ProxyMesh-Country": "DE", "X-ProxyMesh-Prefer-IP": "1.2.3.4", "X-ProxyMesh-Not-IP": "5.6.7.8,::1",
            ]
            let basic = ["Proxy-Authorization": "Basic bWUrMUBleC5jb206QDovJSDDqQ=="]
            let own = try open.using(username: "me+1@ex.com", password: "@:/% é")
            #expect(try own.headers() == basic)
            let both = basic.merging(asked) { one, _ in one }
            #expect(try own.steered(exit).headers() == both)
            #expect(try open.using(token: "pm_token").headers() == ["Proxy-Authorization": "Bearer pm_token"])
            let bearer = asked.merging(["Proxy-Authorization": "Bearer pm_token"]) { one, _ in one }
            #expect(try open.steered(exit).using(token: "pm_token").headers() == bearer)
            #expect(try open.headers() == [:])
            #expect(try open.steered(exit).headers() == asked)
        }

        @Test func aCountryThatTheProxyCannotChooseIsRejected() throws {
            let germany = try ExitChoice(country: "DE")
            let california = try Proxy(host: "us-ca.proxymesh.com")
            let error = try #require(failureNow { try california.steered(germany) })
            let reason = "the proxy us-ca cannot choose the country DE; open and world can"
            #expect(error == .validation(.init(text: "country: \(reason)", field: "country", reason: reason)))
            #expect("\(error)" == "country: the proxy us-ca cannot choose the country DE; open and world can")
            #expect(try Proxy(host: "de.proxymesh.com").steered(germany).headers() == [:])
        }

        @Test func theCoreRejectsAnInvalidExitChoice() {
            func field(_ choice: () throws -> ExitChoice) -> String? {
                guard case .validation(let error) = failureNow(choice) else { return nil }
                return error.field
            }
            for country in ["", "D", "DEU", "D1", "ÄÖ"] {
                #expect(field { try ExitChoice(country: country) } == "country")
            }
            for ip in ["", "x", "1.2.3", "1.2.3.4:80"] {
                #expect(field { try ExitChoice(preferIP: ip) } == "prefer_ip")
                #expect(field { try ExitChoice(notIPs: ["1.2.3.4", ip]) } == "not_ip")
            }
        }

        @Test func exitChoicesCompareInTheCoresSpelling() throws {
            let exit = try ExitChoice(country: "de", preferIP: "1.2.3.4", notIPs: ["0:0:0:0:0:0:0:1"])
            #expect(try exit == ExitChoice(country: "DE", preferIP: "1.2.3.4", notIPs: ["::1"]))
            #expect(try exit != ExitChoice(country: "DE"))
            #expect(exit.country == "DE" && exit.preferIP == "1.2.3.4" && exit.notIPs == ["::1"])
            #expect(try ExitChoice() == .any)
        }

        @Test func everyValidProxyHasAURL() throws {
            let long = Array(repeating: String(repeating: "a", count: 62), count: 4).joined(separator: ".")
            let hosts = [
                "a", "1.a", "1.2.3.4", "0x7f.example", "XN--bcher-kva.example", "xn--a", "a--b.c", long,
            ]
            let secrets = ["", " ", "@:/?#[]%", "ä🦀\u{0}\n\u{202e}", String(repeating: "x", count: 10_000), "%41"]
            for host in hosts {
                for port in [1, 80, 31280, 65535] {
                    let proxy = try Proxy(host: host, port: port)
                    #expect(proxy.plainURL.host == host && proxy.plainURL.port == port)
                    for secret in secrets {
                        let url = proxy.url(username: secret, password: secret)
                        #expect(url.host == host && url.port == port)
                        #expect(url.password(percentEncoded: false) ?? "" == secret)
                    }
                }
            }
        }

        @Test func theCoreRejectsAnInvalidProxy() {
            let none = [
                ("", 1), ("a b", 1), ("http://x", 1), ("x@y", 1), ("[::1]", 1), ("ä", 1), ("x.example", 0), ("x.example", -1),
                ("x.example", 65536), ("x.example", .max), ("x.example", .min), ("x.example:1", 2), ("1", 1),
                ("1.2.3.4.5", 1), ("999.999.999.999", 1), ("127.0x1", 1),
                (String(repeating: "a", count: 1 << 20), 1),
            ]
            for (host, port) in none {
                guard case .validation(let error) = failureNow({ try Proxy(host: host, port: port) }) else {
                    Issue.record("the core accepts a proxy at \(host.prefix(100)):\(port)")
                    continue
                }
                #expect(error.field == "proxy")
            }
        }

        @Test func theCoreRejectsAnInvalidDate() throws {
            let server = try Server(.answer(404))
            defer { server.close() }
            let client = try BlockingClient(username: username, password: password, baseURL: server.baseURL)
            let none = [
                DateComponents(), DateComponents(year: 2030), DateComponents(year: 2030, month: 2, day: 30),
                DateComponents(year: -1, month: 1, day: 1), DateComponents(year: .max, month: .min, day: .max),
                DateComponents(month: 1, day: 1),
            ]
            for date in none {
                guard case .validation(let error) = failureNow({ try client.tokens.create(expiresAt: date) }) else {
                    Issue.record("the core accepts a token that expires at \(date)")
                    continue
                }
                #expect(error.field == "expires_at")
            }
            #expect(server.connections == 0)
        }

        @Test func theCoreRejectsNumbersOutOfRange() throws {
            let server = try Server(.answer(404))
            defer { server.close() }
            let client = try BlockingClient(username: username, password: password, baseURL: server.baseURL)
            for limit in [Int.min, -1, .max] {
                #expect(failureNow { try client.subAccounts.create("x", monthlyLimit: limit) }?.kind == .validation)
                #expect(failureNow { try client.subAccounts.edit("x", totalLimit: limit) }?.kind == .validation)
            }
            #expect(failureNow { try client.tokens.delete(.min) }?.kind == .validation)
            #expect(server.connections == 0)
        }
    }
}
