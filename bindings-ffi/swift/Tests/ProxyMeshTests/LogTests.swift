import Foundation
import ProxyMeshTesting
import TestSupport
import Testing

@testable import ProxyMesh

extension ProxyMeshTests {
    /// What clients write to their logs.
    @Suite struct LogTests {
        /// Keeps the records.
        private final class Kept: Sendable {
            private let records = Locked([ProxyMeshLog.Record]())

            var all: [ProxyMeshLog.Record] { records.with { $0 } }
            var attempts: [ProxyMeshLog.Attempt] { all.compactMap(\.attempt) }
            var warnings: [String] { all.filter { $0.level == .warning }.map(\.message) }

            func log(
                level: ProxyMeshLog.Level = .debug, _ act: @escaping @Sendable (ProxyMeshLog.Record) -> Void = { _ in }
            ) -> ProxyMeshLog {
                ProxyMeshLog(level: level) { record in
                    self.records.with { $0.append(record) }
                    act(record)
                }
            }
        }

        private static let us = Reply.answer(200, #"{"US": 1}"#)
        private static let again = Reply.answer(429, "", ["retry-after": "0"])

        /// Responds with these in turn, and then always with the last one.
        private func replying(_ replies: Reply...) throws -> Server {
            let count = Locked(0)
            return try Server { _ in
                count.with { count in
                    defer { count += 1 }
                    return replies[min(count, replies.count - 1)]
                }
            }
        }

        private func client(_ server: Server, _ log: ProxyMeshLog, maxRetries: Int = 2) throws -> Client {
            try Client(username: username, password: password, baseURL: server.baseURL, maxRetries: maxRetries, log: log)
        }

        private func blocking(_ server: Server, _ log: ProxyMeshLog, maxRetries: Int = 2) throws -> BlockingClient {
            try BlockingClient(
                username: username, password: password, baseURL: server.baseURL, maxRetries: maxRetries, log: log)
        }

        private func check(_ kept: Kept) throws {
            let attempts = kept.attempts
            try #require(attempts.count == 2 && kept.all.count == 2)
            for attempt in attempts {
                #expect(attempt.call == "geo.open" && attempt.method == "GET" && attempt.path == "/api/geoips/open/")
                #expect(attempt.failure == nil && attempt.elapsed > .zero && attempt.elapsed < patience)
            }
            #expect(attempts.map(\.number) == [1, 2] && attempts.map(\.status) == [429, 200])
            #expect(attempts[0].retryIn.map { $0 < .seconds(1) } == true && attempts[1].retryIn == nil)
            #expect(kept.all.allSatisfy { $0.level == .debug })
            let message = kept.all[1].message
            #expect(message.hasPrefix("geo.open: GET /api/geoips/open/: 200 after ") && message.hasSuffix(" ms (attempt 2)"))
            let metadata = kept.all[0].metadata
            #expect(metadata["call"] == "geo.open" && metadata["status"] == "429" && metadata["attempt"] == "1")
            #expect(Set(metadata.keys) == ["call", "method", "path", "attempt", "status", "elapsed", "retry_in"])
        }

        @Test func eachAttemptIsOneRecord() async throws {
            let kept = Kept()
            let server = try replying(Self.again, Self.us)
            defer { server.close() }
            #expect(try await client(server, kept.log()).geo.open() == ["US": 1])
            try check(kept)
        }

        @Test func eachAttemptOfABlockingClientIsOneRecord() throws {
            let kept = Kept()
            let server = try replying(Self.again, Self.us)
            defer { server.close() }
            // Options keep the log.
            let client = try blocking(server, kept.log(), maxRetries: 0).withOptions(maxRetries: 2)
            #expect(try client.geo.open() == ["US": 1])
            try check(kept)
        }

        @Test(arguments: [true, false])
        func theLookUpAfterALostResponseIsLoggedToo(_ isAsync: Bool) async throws {
            let kept = Kept()
            let server = try replying(
                .answer(503, "", ["retry-after": "0"]), .close, .answer(400, "already so"),
                .answer(200, #"{"ips": ["203.0.113.7"]}"#))
            defer { server.close() }
            if isAsync {
                _ = try await client(server, kept.log()).ips.add("203.0.113.7")
            } else {
                try blockingly { _ = try blocking(server, kept.log()).ips.add("203.0.113.7") }
            }
            let attempts = kept.attempts
            #expect(attempts.map(\.call) == ["ips.add", "ips.add", "ips.add", "ips.list"])
            #expect(attempts.map(\.number) == [1, 2, 3, 1] && attempts.map(\.status) == [503, nil, 400, 200])
            #expect(attempts[1].failure?.contains("closed") == true && kept.all[1].metadata["status"] == nil)
        }

        @Test func aboveTheLevelDebugNoAttemptIsLogged() async throws {
            let kept = Kept()
            let server = try replying(Self.us)
            defer { server.close() }
            for log in [ProxyMeshLog.off, kept.log(level: .info), kept.log(level: .warning)] {
                _ = try await client(server, log).geo.open()
                try blockingly { _ = try blocking(server, log).geo.open() }
            }
            #if !canImport(os)
                _ = try await client(server, .system).geo.open()
            #endif
            #expect(kept.all.isEmpty)
        }

        @Test(arguments: [true, false])
        func aRecordIsWrittenWhileItsCallIsInProgress(_ isAsync: Bool) async throws {
            let (kept, count) = (Kept(), Locked(0))
            // Responds to the second attempt only after the first has been logged.
            let server = try Server { _ in
                if count.with({ count in
                    defer { count += 1 }; return count == 0
                }) {
                    return Self.again
                }
                let end = ContinuousClock.now + patience
                while kept.all.isEmpty && ContinuousClock.now < end { Thread.sleep(forTimeInterval: 0.005) }
                return kept.all.isEmpty ? .answer(500) : Self.us
            }
            defer { server.close() }
            if isAsync {
                _ = try await client(server, kept.log(), maxRetries: 1).geo.open()
            } else {
                try blockingly { _ = try blocking(server, kept.log(), maxRetries: 1).geo.open() }
            }
            #expect(kept.attempts.map(\.status) == [429, 200])
        }

        private enum Request {
            @TaskLocal static var name = "none"
        }

        @Test func aRecordIsWrittenInTheContextOfItsCall() async throws {
            let server = try replying(Self.us)
            defer { server.close() }
            let seen = Locked([[String]]())
            let log = ProxyMeshLog { record in
                let pair = [Request.name, record.attempt?.call ?? ""]
                seen.with { $0.append(pair) }
            }
            let client = try client(server, log)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        if number.isMultiple(of: 2) {
                            _ = try await Request.$name.withValue("geo.open") { try await client.geo.open() }
                        } else {
                            _ = try await Request.$name.withValue("geo.world") { try await client.geo.world() }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(seen.with { $0 }.count == 40 && seen.with { $0 }.allSatisfy { $0[0] == $0[1] })
            // A blocking call is logged on its own thread.
            let (caller, writer) = (Locked(ObjectIdentifier?.none), Locked(ObjectIdentifier?.none))
            try blockingly {
                caller.with { $0 = ObjectIdentifier(Thread.current) }
                let log = ProxyMeshLog { _ in writer.with { $0 = ObjectIdentifier(Thread.current) } }
                _ = try blocking(server, log).geo.open()
            }
            #expect(caller.with { $0 } == writer.with { $0 } && writer.with { $0 } != nil)
        }

        @Test func aLogThatBlocksDelaysOnlyItsOwnCall() async throws {
            let server = try replying(Self.us)
            defer { server.close() }
            let (isWaiting, goesOn) = (Locked(false), Locked(false))
            let slow = try client(
                server,
                ProxyMeshLog { _ in
                    isWaiting.with { $0 = true }
                    let end = ContinuousClock.now + patience
                    while !goesOn.with({ $0 }) && ContinuousClock.now < end { Thread.sleep(forTimeInterval: 0.005) }
                })
            let (kept, isDone) = (Kept(), Locked(false))
            let call = Task {
                defer { isDone.with { $0 = true } }
                return try await slow.geo.world()
            }
            try await until("its record is being written") { isWaiting.with { $0 } }
            _ = try await client(server, kept.log()).geo.open()
            try blockingly { _ = try blocking(server, kept.log()).geo.open() }
            #expect(kept.all.count == 2 && !isDone.with { $0 }, "a call waits until its records are written")
            goesOn.with { $0 = true }
            #expect(try await call.value == ["US": 1])
        }

        @Test func theAttemptsOfACancelledCallAreLogged() async throws {
            let server = try replying(Self.us, .answer(503, "", ["retry-after": "60"]))
            defer { server.close() }
            let kept = Kept()
            let client = try client(server, kept.log())
            _ = try await client.geo.open()
            let call = Task { try await client.geo.world() }
            try await until("its first attempt is logged") { kept.all.count == 2 }
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
            #expect(kept.attempts.last?.call == "geo.world" && kept.attempts.last?.status == 503)
        }

        @Test(arguments: [true, false], [ProxyMeshLog.Level.debug, .warning])
        func aPoolWarnsIfItsListCannotBeRefreshed(_ isAsync: Bool, _ level: ProxyMeshLog.Level) async throws {
            let kept = Kept()
            let server = try replying(.answer(200, #"{"proxies": ["us-ca.proxymesh.com:31280"]}"#), .answer(500, "down"))
            defer { server.close() }
            if isAsync {
                let client = try client(server, kept.log(level: level), maxRetries: 0)
                let pool = try client.proxies.pool(ttl: .milliseconds(1))
                _ = try await pool.next()
                try await Task.sleep(for: .milliseconds(10))
                _ = try await pool.next()
            } else {
                try blockingly {
                    let client = try blocking(server, kept.log(level: level), maxRetries: 0)
                    let pool = try client.proxies.pool(ttl: .milliseconds(1))
                    _ = try pool.next()
                    Thread.sleep(forTimeInterval: 0.01)
                    _ = try pool.next()
                }
            }
            #expect(kept.all.count == (level == .debug ? 3 : 1))
            let text = "could not refresh the list of proxies, so the old one stays in use: proxies.list: server error (500)"
            #expect(kept.warnings.count == 1 && kept.warnings.first?.hasPrefix(text) == true, "\(kept.warnings)")
            #expect(kept.all.last?.metadata == [:])
        }

        private struct OfTheBlock: Error {}

        @Test(arguments: [true, false])
        func anIPThatStaysAuthorisedIsAWarning(_ isAsync: Bool) async throws {
            let (sandbox, kept) = (try newSandbox(), Kept())
            try sandbox.inject(.status(403), path: "/api/ip/delete/")
            let log = kept.log(level: .warning)
            if isAsync {
                let client = try Client(username: username, password: password, baseURL: sandbox.baseURL, log: log)
                await #expect(throws: OfTheBlock.self) {
                    try await client.ips.withAuthorizedIP("203.0.113.91") { _ in throw OfTheBlock() }
                }
            } else {
                try blockingly {
                    let client = try BlockingClient(
                        username: username, password: password, baseURL: sandbox.baseURL, log: log)
                    #expect(throws: OfTheBlock.self) {
                        try client.ips.withAuthorizedIP("203.0.113.91") { _ in throw OfTheBlock() }
                    }
                }
            }
            let text =
                "could not remove the authorised IP 203.0.113.91, so it stays until an IP is next authorised on this machine: "
                + "ips.delete: permission denied (403)"
            #expect(kept.warnings.count == 1 && kept.warnings.first?.hasPrefix(text) == true, "\(kept.warnings)")
        }

        @Test func aFollowerWarnsInTheBackground() async throws {
            let (sandbox, kept) = (try newSandbox(), Kept())
            let client = try Client(
                username: username, password: password, baseURL: sandbox.baseURL, log: kept.log(level: .warning))
            let follower = try await client.ips.follow(interval: .seconds(1))
            sandbox.stop()
            try await until("it warns") { !kept.warnings.isEmpty }
            let text = "ips.follow could not check or change the authorised IP 127.0.0.1, and will try again: "
            #expect(kept.warnings.first?.hasPrefix(text) == true, "\(kept.warnings)")
            try? await follower.close()
        }

        @Test func levelsAreOrderedAndNamedAsInSwiftLog() {
            #expect(ProxyMeshLog.Level.allCases.sorted() == [.debug, .info, .warning])
            #expect(ProxyMeshLog.Level.allCases.map(\.rawValue) == ["debug", "info", "warning"])
        }

        @Test func aRecordContainsNeitherSecretsNorArguments() async throws {
            let echo = try Server { .answer(400, "\($0.headers) \($0.form) \(password)") }
            defer { echo.close() }
            let kept = Kept()
            let client = try client(echo, kept.log())
            #expect(await failure { try await client.subAccounts.create("whom", password: subPassword) } != nil)
            #expect(await failure { try await client.subAccounts.get("whom") } != nil)
            #expect(await failure { try await client.tokens.list(username: "whom") } != nil)
            #expect(kept.all.count == 3)
            let text = "\(kept.all) \(kept.all.map(\.metadata))"
            let hidden = [password, subPassword, basic.replacingOccurrences(of: "Basic ", with: ""), username, "whom", "?"]
            #expect(!hidden.contains { text.contains($0) } == true)
        }
    }
}
