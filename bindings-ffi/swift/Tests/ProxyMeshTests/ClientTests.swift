import Foundation
import TestSupport
import Testing

@testable import ProxyMesh

extension ProxyMeshTests {
    /// Settings, closing, many calls at once, and leaks.
    @Suite struct ClientTests {
        private let us = Reply.answer(200, #"{"US": 1}"#)
        private let closed = "the client is closed; create a new one"

        @Test func creatingAClientSendsNothing() throws {
            #expect(try BlockingClient(username: "x", password: "y").baseURL?.absoluteString == "https://proxymesh.com")
            #expect(try Client(token: "pm_x").baseURL?.absoluteString == "https://proxymesh.com")
        }

        @Test func missingSettingsComeFromTheEnvironment() throws {
            let names = ["PROXYMESH_USERNAME", "PROXYMESH_PASSWORD", "PROXYMESH_TOKEN", "PROXYMESH_BASE_URL"]
            defer { names.forEach { unsetenv($0) } }
            names.forEach { unsetenv($0) }
            #expect(failureNow { try Client() }?.kind == .config)
            #expect(failureNow { try BlockingClient() }?.kind == .config)
            let server = try Server(us)
            defer { server.close() }
            setenv("PROXYMESH_USERNAME", username, 1)
            setenv("PROXYMESH_PASSWORD", password, 1)
            setenv("PROXYMESH_BASE_URL", server.baseURL.absoluteString, 1)
            let client = try BlockingClient()
            #expect(client.baseURL == server.baseURL)
            #expect(try client.geo.open() == ["US": 1])
            #expect((server.requests[0].headers["authorization"] == basic) == true)
        }

        @Test func settingsOutOfRangeAreRejectedWithTheCoresText() throws {
            func refused(_ text: String? = nil, _ make: () throws -> Any) {
                let error = failureNow(make)
                #expect(error?.kind == .config)
                if let text { #expect(error?.reason == text) }
            }
            refused("timeout must be a number of seconds greater than 0, not 0") {
                try Client(username: "x", password: "y", timeout: .zero)
            }
            refused("connect_timeout must be a number of seconds greater than 0, not 0") {
                try BlockingClient(username: "x", password: "y", connectTimeout: .zero)
            }
            refused("a username is given, but no password") { try Client(username: "x") }
            refused { try Client(username: "x", password: "y", token: "pm_x") }
            refused { try Client(username: "x", password: "y", baseURL: URL(string: "ftp://x")) }
            refused { try Client(username: "x", password: "y", caFile: URL(fileURLWithPath: "/nonexistent.pem")) }
            // The last two are close to the limits of Duration.
            for seconds in [.seconds(-1), .nanoseconds(-1), .seconds(1.7e20), .seconds(-1.7e20)] as [Duration] {
                refused { try Client(username: "x", password: "y", timeout: seconds) }
                refused { try Client(username: "x", password: "y", connectTimeout: seconds) }
                refused { try BlockingClient(username: "x", password: "y", timeout: seconds) }
                refused { try Client(username: "x", password: "y").withOptions(timeout: seconds) }
                refused { try BlockingClient(username: "x", password: "y").withOptions(timeout: seconds) }
            }
            for retries in [-1, .min, .max] {
                refused { try Client(username: "x", password: "y", maxRetries: retries) }
                refused { try BlockingClient(username: "x", password: "y").withOptions(maxRetries: retries) }
            }
        }

        @Test func everySettingIsAccepted() throws {
            let server = try Server(us)
            defer { server.close() }
            let client = try BlockingClient(
                username: username, password: password, baseURL: server.baseURL, timeout: .seconds(5),
                connectTimeout: .seconds(1),
                maxRetries: 0, trustEnv: true)
            #expect(try client.geo.world() == ["US": 1])
            let patient = try BlockingClient(
                username: username, password: password, baseURL: server.baseURL, timeout: .seconds(Int64.max),
                connectTimeout: .seconds(Int64.max))
            #expect(try patient.geo.world() == ["US": 1])
            let error = failureNow { try Client(token: "pm_x", caFile: URL(fileURLWithPath: "/no such/ä.pem")) }
            #expect(error?.reason?.contains("/no such/ä.pem") == true)
        }

        @Test func optionsApplyOnlyToTheClientThatHasThem() async throws {
            let server = try Server(.answer(503))
            defer { server.close() }
            let client = try Client(username: username, password: password, baseURL: server.baseURL, maxRetries: 1)
            let quick = try client.withOptions(maxRetries: 0)
            #expect(await failure { try await quick.geo.open() }?.attempts == 1)
            #expect(await failure { try await client.geo.open() }?.attempts == 2)
            #expect(quick.baseURL == server.baseURL)
        }

        @Test func optionsApplyOnlyToTheBlockingClientThatHasThem() throws {
            let server = try Server(.answer(503))
            defer { server.close() }
            let client = try BlockingClient(username: username, password: password, baseURL: server.baseURL, maxRetries: 1)
            let quick = try client.withOptions(timeout: .seconds(1), maxRetries: 0)
            #expect(failureNow { try quick.geo.open() }?.attempts == 1)
            #expect(failureNow { try client.geo.open() }?.attempts == 2)
        }

        @Test func aClosedClientRejectsCallsAndCallsInProgressContinue() async throws {
            let us = us
            let server = try Server { request in
                if request.path == "/api/geoips/open/" { usleep(200_000) }
                return us
            }
            defer { server.close() }
            let client = try Client(username: username, password: password, baseURL: server.baseURL)
            let other = try client.withOptions(maxRetries: 0)
            let call = Task { try await client.geo.open() }
            try await until("it is sent") { server.requests.count == 1 }
            client.close()
            client.close()
            #expect(try await call.value == ["US": 1])
            let error = await failure { try await client.geo.open() }
            #expect(error?.kind == .config && error?.description == closed)
            #expect(failureNow { try client.withOptions() }?.description == closed)
            #expect(client.baseURL == nil)
            #expect(try await other.geo.world() == ["US": 1])
            #expect(server.requests.count == 2)
        }

        @Test func aClosedBlockingClientRejectsCalls() throws {
            let server = try Server(us)
            defer { server.close() }
            let client = try BlockingClient(username: username, password: password, baseURL: server.baseURL)
            client.close()
            client.close()
            #expect(failureNow { try client.geo.open() }?.description == closed)
            #expect(failureNow { try client.withOptions() }?.description == closed)
            #expect(server.connections == 0)
        }

        @Test func manyCallsAtOnceOverOneClient() async throws {
            let server = try Server(us)
            defer { server.close() }
            let client = try Client(username: username, password: password, baseURL: server.baseURL)
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<1000 {
                    group.addTask { try await client.geo.open()["US"] ?? 0 }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 1000)
            let blocking = try BlockingClient(username: username, password: password, baseURL: server.baseURL)
            let answered = Locked(0)
            for _ in 0..<32 {
                thread {
                    for _ in 0..<32 where (try? blocking.geo.open()) == ["US": 1] {
                        answered.with { $0 += 1 }
                    }
                }
            }
            try await until("all are answered") { answered.with { $0 } == 1024 }
            #expect(server.requests.count == 2024)
        }

        @Test func aResponseWithTenThousandIPsIsRead() async throws {
            let ips = (0..<10_000).map { "10.\($0 / 65536).\($0 / 256 % 256).\($0 % 256)" }
            let server = try Server { request in
                let items = ips.map { request.path == "/api/ips/" ? "\"\($0)\"" : #"{"ip": "\#($0)", "label": "ä"}"# }
                let list = "[\(items.joined(separator: ","))]"
                return .answer(200, request.path == "/api/ips/" ? #"{"ips": \#(list)}"# : list)
            }
            defer { server.close() }
            let client = try Client(username: username, password: password, baseURL: server.baseURL)
            #expect(try await client.ips.list() == ips)
            #expect(try await client.ips.labels() == ips.map { LabeledIP(ip: $0, label: "ä") })
            let blocking = try BlockingClient(username: username, password: password, baseURL: server.baseURL)
            let lists = try { (try blocking.ips.list(), try blocking.ips.labels()) }()
            #expect(lists.0 == ips && lists.1.map(\.ip) == ips)
        }

        /// 80 calls wait at once on the threads of Swift's pool, which has one thread per core.
        @Test func callsThatWaitForResponsesBlockNoThread() async throws {
            let us = us
            let server = try Server { _ in
                usleep(200_000)
                return us
            }
            defer { server.close() }
            let client = try Client(username: username, password: password, baseURL: server.baseURL)
            _ = try await client.geo.open()
            let start = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<80 {
                    group.addTask { _ = try await client.geo.open() }
                }
                try await group.waitForAll()
            }
            #expect(ContinuousClock.now - start < .seconds(5))
        }

        @Test @MainActor func theClientCanBeUsedFromTheMainActor() async throws {
            let server = try Server(us)
            defer { server.close() }
            let client = try Client(username: username, password: password, baseURL: server.baseURL)
            #expect(try await client.geo.open() == ["US": 1])
            MainActor.assertIsolated()
        }

        private func use(_ baseURL: URL) throws -> Weak<BlockingClient> {
            let blocking = try BlockingClient(username: username, password: password, baseURL: baseURL)
            _ = try blocking.geo.open()
            return Weak(object: blocking)
        }

        @Test func aThousandClientsLeaveNothingBehind() async throws {
            let server = try Server(us)
            defer { server.close() }
            func useMany(_ count: Int) async throws -> Int {
                var left = 0
                for _ in 0..<count {
                    var client: Client? = try Client(username: username, password: password, baseURL: server.baseURL)
                    _ = try await client?.geo.open()
                    let weak = Weak(object: client!)
                    client = nil
                    left += weak.object == nil ? 0 : 1
                    left += try use(server.baseURL).object == nil ? 0 : 1
                }
                try await until("no connection is left") { server.connections == server.gone }
                return left
            }
            _ = try await useMany(50)
            try await Task.sleep(for: .milliseconds(200))
            let before = Left()
            #expect(try await useMany(500) == 0)
            try await until("no more than before is left: \(before)") { Left().isNoMore(than: before) }
            print("1,000 clients, released without a close: \(before) before, \(Left()) after")
            #expect(Left().megabytes <= before.megabytes + 50)
        }
    }
}
