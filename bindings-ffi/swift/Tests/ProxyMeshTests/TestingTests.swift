import Foundation
import ProxyMesh
import Testing
import XCTest

@testable import ProxyMeshTesting

extension ProxyMeshTests {
    /// The sandbox that users test their code with.
    @Suite struct TestingTests {
        @Test func eachSandboxIsAnAccountOfItsOwnAndRecordsItsCalls() async throws {
            let sandbox = try Sandbox()
            try Sandbox().run { other in #expect(other.baseURL != sandbox.baseURL) }
            try await sandbox.client().ips.add("203.0.113.7", label: "office")
            let request = try #require(try sandbox.requests().first)
            #expect("\(request)" == "POST /api/ip/add/ -> 200")
            #expect(request.form == ["ip": "203.0.113.7", "label": "office"] && request.query == [:])
            #expect(request.username == "parent" && request.fault == nil)
            try sandbox.clearRequests()
            #expect(try blockingly { try sandbox.blockingClient().ips.list() } == ["203.0.113.7"])
            #expect(try sandbox.requests().map(\.path) == ["/api/ips/"])
            try sandbox.reset()
            #expect(try sandbox.requests().isEmpty)
            #expect(try await sandbox.client().ips.list() == [])
        }

        @Test func callsFailAsTheyWereToldTo() async throws {
            try await Sandbox().run { sandbox in
                let client = try sandbox.client().withOptions(maxRetries: 0)
                try sandbox.inject(.status(503, body: "down"), path: "/api/ips/", times: 2)
                _ = try await client.geo.open()
                #expect(try sandbox.pendingFaultCount() == 1)
                let error = try #require(await failure { try await client.ips.list() })
                #expect(error.kind == .server && error.body == "down")
                #expect(try sandbox.requests().last?.fault == "status")
                try sandbox.clearFaults()
                #expect(try await client.ips.list() == [])
                try sandbox.inject(.dropAfterApply, method: "POST", path: "/api/ip/add/")
                #expect(try await client.ips.add("203.0.113.7") == "203.0.113.7")
                #expect(try sandbox.requests().first { $0.path == "/api/ip/add/" }?.status == nil)
                try sandbox.inject(.status(429, headers: ["Retry-After": "7"]), after: 1)
                #expect(try await client.ips.list() == ["203.0.113.7"])
                #expect(await failure { try await client.ips.list() }?.retryAfter == .seconds(7))
                for (fault, kind) in [
                    (.redirect, .unexpectedStatus), (.drop, .connection), (.reset, .connection), (.truncate, .connection),
                    (.garbage, .decode), (.html, .decode), (.empty, .decode),
                ] as [(Fault, ProxyMeshError.Kind)] {
                    try sandbox.inject(fault)
                    #expect(await failure { try await client.geo.open() }?.kind == kind, "\(fault)")
                }
                for fault in [Fault.delay(.milliseconds(100)), .delayAfterApply(.milliseconds(100))] {
                    try sandbox.inject(fault)
                    let start = ContinuousClock.now
                    _ = try await client.geo.open()
                    #expect(ContinuousClock.now - start >= .milliseconds(100))
                }
                #expect(sandboxError { try sandbox.inject(.status(99)) }.contains("status"))
            }
        }

        @Test func theClockAndTheUsageCanBeMovedForward() async throws {
            let sandbox = try Sandbox(username: "me@ex.com", password: "@:/% é+ß", plan: .trial)
            let before = try sandbox.now()
            #expect(abs(before.timeIntervalSinceNow) < 60)
            try sandbox.advance(by: .seconds(3 * 3600))
            #expect((3 * 3600..<4 * 3600).contains(try sandbox.now().timeIntervalSince(before)))
            let client = try sandbox.client()
            try await client.subAccounts.create("crawler-1")
            try sandbox.addUsage(1.5, to: "crawler-1")
            #expect(try await client.subAccounts.get("crawler-1").monthlyBandwidth == 1.5)
            #expect(await failure { try await client.tokens.create() }?.kind == .planLimit)
            let unknown = sandboxError { try sandbox.addUsage(1, to: "nobody") }
            #expect(unknown.contains("nobody"))
            #expect(sandboxError { try sandbox.advance(by: .seconds(-1)) } == "the clock cannot go back")
            var dumped = ""
            dump(sandbox, to: &dumped)
            #expect(![dumped, "\(sandbox)", String(reflecting: sandbox)].contains { $0.contains("@:/%") })
        }

        @Test func theProxiesCanBeUsedAndRecordTheirRequests() async throws {
            let sandbox = try Sandbox(hasProxies: true, monthlyLimit: 1)
            let proxy = try await sandbox.client().proxies.pool().next()
            #expect(try await proxy.check().isOK)
            let seen = try #require(try sandbox.proxiedRequests().first)
            #expect("\(seen)" == "\(proxy.name): CONNECT proxymesh.com:443 -> 200")
            #expect(seen.account == "parent" && seen.exitIP != nil && seen.country == nil)
            #expect(seen.headers["proxy-authorization"] == "***")
            try sandbox.clearProxiedRequests()
            try sandbox.inject(.status(502), proxy: proxy.name)
            #expect(try await proxy.check().status == 502)
            try sandbox.addUsage(1, to: "parent")
            #expect(try await proxy.check().status == 509)
            #expect(try sandbox.proxiedRequests().map(\.status) == [502, 509])
            #expect(sandboxError { try sandbox.inject(.html, proxy: proxy.name) }.contains("proxy"))
        }

        @Test func anInvalidOptionIsRefused() {
            let reason = sandboxError { try Sandbox(username: "") }
            #expect(reason.hasPrefix("the sandbox did not start: error: ") && reason.contains("username"))
        }

        @Test func itEndsWhenItIsStoppedOrNoLongerReferenced() async throws {
            let stopped = try Sandbox()
            stopped.stop()
            stopped.stop()
            #expect(sandboxError { try stopped.requests() }.contains("is stopped"))
            let client = try stopped.client().withOptions(maxRetries: 0)
            #expect(await failure { try await client.ips.list() }?.kind == .connection)

            var unreferenced: Sandbox? = try Sandbox()
            let other = try unreferenced!.client().withOptions(maxRetries: 0)
            unreferenced = nil
            #expect(await failure { try await other.ips.list() }?.kind == .connection)

            struct Oops: Error {}
            let thrown = try Sandbox()
            #expect(throws: Oops.self) { try thrown.run { _ in throw Oops() } }
            #expect(throws: SandboxError.self) { try thrown.requests() }
        }

        @Test func theProgramIsFound() throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            defer { try? FileManager.default.removeItem(at: folder) }
            let (first, second) = (folder.appendingPathComponent("first"), folder.appendingPathComponent("second"))
            let home = folder.appendingPathComponent("home/.cargo/bin")
            func find(_ environment: [String: String]) throws -> String {
                try program(environment: environment, home: folder.appendingPathComponent("home")).path
            }
            func add(to folder: URL) throws -> String {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                let program = folder.appendingPathComponent("proxymesh-sandbox")
                try Data().write(to: program)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
                return program.path
            }
            let listed = ["LIBRARY_PATH": "/nowhere:\(first.path)", "PATH": "/nowhere::\(second.path)"]
            let missing = sandboxError { try find(listed) }
            #expect(missing.contains("cargo install proxymesh-sandbox") && missing.contains("PROXYMESH_SANDBOX_PROGRAM"))
            for folder in [home, second, first] {
                let program = try add(to: folder)
                #expect(try find(listed) == program)
            }
            let given = second.appendingPathComponent("proxymesh-sandbox").path
            #expect(try find(listed.merging(["PROXYMESH_SANDBOX_PROGRAM": given]) { $1 }) == given)
            let wrong = sandboxError { try find(["PROXYMESH_SANDBOX_PROGRAM": "/nowhere/x"]) }
            #expect(wrong == "PROXYMESH_SANDBOX_PROGRAM is /nowhere/x, which is not a program")
        }

        private func sandboxError(_ body: () throws -> Any) -> String {
            do {
                return "no error, but \(try body())"
            } catch {
                return (error as? SandboxError)?.localizedDescription ?? "another error: \(error)"
            }
        }
    }
}

/// XCTest can use it, too.
final class SandboxInXCTest: XCTestCase {
    private var sandbox: Sandbox!

    override func setUpWithError() throws {
        sandbox = try Sandbox()
    }

    override func tearDown() {
        sandbox.stop()
    }

    func testACallArrives() async throws {
        try await sandbox.client().ips.add("203.0.113.7")
        XCTAssertEqual(try sandbox.requests().map(\.path), ["/api/ip/add/"])
    }

    func testEachTestHasAnAccountOfItsOwn() throws {
        XCTAssertEqual(try sandbox.blockingClient().ips.list(), [])
    }
}
