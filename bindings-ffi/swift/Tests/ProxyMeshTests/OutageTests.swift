import Foundation
import ProxyMesh
import TestSupport
import Testing

extension ProxyMeshTests {
    /// The service is down when the first calls are made. This is not a wrong password: it delays the next calls but blocks none.
    @Suite struct OutageTests {
        /// A service that is down at first, and then works.
        private final class Service: Sendable {
            let server: Server
            private let isDown: Locked<Bool>

            init(_ down: Reply, after milliseconds: UInt32 = 0) throws {
                let isDown = Locked(true)
                server = try Server { _ in
                    guard isDown.with({ $0 }) else { return .answer(200, #"{"ips": ["203.0.113.7"]}"#) }
                    usleep(milliseconds * 1000)
                    return down
                }
                self.isDown = isDown
            }

            func comesBack() {
                isDown.with { $0 = false }
            }

            deinit {
                server.close()
            }
        }

        /// How long the gate waits after this many trials without a response: docs/decisions/0008-the-auth-gate.md.
        private func backOff(_ trials: Int) -> Duration {
            min(.milliseconds(500) * (1 << (trials - 1)), .seconds(30))
        }

        /// How long an abandoned first request continues in the background.
        private let goesOn = Duration.seconds(5)

        private let row = JSON.object(["call": .text("ips.list")])

        /// Lets the service return. The next call must succeed soon after the gate lets it through, and so must one with other
        /// credentials.
        private func checkAfter(
            _ what: String, _ service: Service, _ account: any Account, within delay: Duration,
            _ others: Options = Options(password: "another-password")
        ) async throws {
            service.comesBack()
            let start = ContinuousClock.now
            let answer = try await account.call(Arguments(row))
            let took = ContinuousClock.now - start
            #expect(answer == .list([.text("203.0.113.7")]))
            let figures = [took, delay].map { String(format: "%.1f s", $0 / .seconds(1)) }
            print("\(what): the first response \(figures[0]) after the service's return; the gate may wait for \(figures[1])")
            // One second, and one more for a busy machine.
            #expect(took < delay + .seconds(2))
            let other = try Way.async.open(service.server.baseURL, others)
            #expect(try await other.call(Arguments(row)) == answer)
        }

        @Test(arguments: Way.allCases) func resets(_ way: Way) async throws {
            let service = try Service(.reset)
            let account = try way.open(service.server.baseURL)
            let errors = try await failures(of: account, callers: 1)
            #expect(errors.map { $0?.kind } == [.connection])
            #expect(service.server.requests.count == 3, "it is retried twice")
            try await checkAfter("resets (\(way))", service, account, within: backOff(3))
        }

        @Test(arguments: Way.allCases) func resetsOfManyCallers(_ way: Way) async throws {
            let service = try Service(.reset, after: 300)  // By then, nearly all callers wait for the first.
            let account = try way.open(service.server.baseURL)
            let errors = try await failures(of: account.with(timeout: nil, maxRetries: 0))
            #expect(errors.count == 256 && errors.allSatisfy { $0?.kind == .connection })
            let trials = service.server.requests.count
            #expect(1...4 ~= trials, "the callers that wait for the first get its error")
            try await checkAfter("resets of 256 callers (\(way))", service, account, within: backOff(trials))
        }

        @Test(arguments: Way.allCases) func timeOuts(_ way: Way) async throws {
            let service = try Service(.hang)
            let account = try way.open(service.server.baseURL)
            let errors = try await failures(of: account.with(timeout: .milliseconds(200), maxRetries: 0), callers: 32)
            #expect(errors.count == 32 && errors.allSatisfy { $0?.kind == .timeout })
            #expect(service.server.requests.count == 1)
            try await checkAfter("time-outs (\(way))", service, account, within: goesOn + backOff(1))
        }

        @Test func tasksThatAreCancelled() async throws {
            let service = try Service(.hang)
            let account = try Way.async.open(service.server.baseURL)
            let row = row
            let calls = (0..<32).map { _ in Task { try await account.call(Arguments(row)) } }
            try await until("one is sent") { service.server.requests.count == 1 }
            calls.forEach { $0.cancel() }
            for call in calls {
                await #expect(throws: CancellationError.self) { try await call.value }
            }
            try await checkAfter("Task.cancel", service, account, within: goesOn + backOff(1))
        }

        @Test func aGroupThatIsCancelled() async throws {
            let service = try Service(.hang)
            let account = try Way.async.open(service.server.baseURL)
            let row = row
            let cancelled = try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<32 {
                    group.addTask { _ = try await account.call(Arguments(row)) }
                }
                try await until("one is sent") { service.server.requests.count == 1 }
                group.cancelAll()
                var cancelled = 0
                while let result = await group.nextResult() {
                    if case .failure(let error) = result, error is CancellationError { cancelled += 1 }
                }
                return cancelled
            }
            #expect(cancelled == 32)
            try await checkAfter("cancelAll of a group", service, account, within: goesOn + backOff(1))
        }

        /// The service works, but its responses take longer than the time limit of the first calls.
        @Test(arguments: Way.allCases) func firstCallsThatAreAbandonedEarly(_ way: Way) async throws {
            let server = try Server { _ in
                usleep(300_000)
                return .answer(200, #"{"ips": []}"#)
            }
            defer { server.close() }
            let account = try way.open(server.baseURL, Options(maxRetries: 0))
            let hasty = try account.with(timeout: .milliseconds(50), maxRetries: nil)
            for _ in 0..<3 {
                #expect(try await failures(of: hasty, callers: 1).map { $0?.kind } == [.timeout])
            }
            #expect(try await account.call(Arguments(row)) == .list([]))
            #expect(server.requests.count == 2, "the first continues until its response")
        }
    }
}
