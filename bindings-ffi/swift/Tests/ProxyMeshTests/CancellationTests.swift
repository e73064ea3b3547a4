import Foundation
import TestSupport
import Testing

@testable import ProxyMesh

extension ProxyMeshTests {
    /// If the task of a call is cancelled, the call is abandoned: its connection is closed at once, and nothing is left of it.
    @Suite struct CancellationTests {
        /// Never responds to `ips.list`, and asks `proxies.list` to retry much later.
        private let server: Server
        private let client: ProxyMesh.Client

        init() throws {
            server = try Server { request in
                switch request.path {
                case "/api/ips/": .hang
                case "/api/proxies/": .answer(429, "", ["Retry-After": "60"])
                default: .answer(200, #"{"US": 1}"#)
                }
            }
            client = try Client(username: username, password: password, baseURL: server.baseURL)
        }

        /// Runs a test after a first response. Before that, calls with the same credentials wait for each other.
        private func test(_ act: () async throws -> Void) async throws {
            defer { server.close() }
            _ = try await client.geo.open()
            try await act()
            #expect(try await client.geo.open() == ["US": 1], "the client still works")
        }

        private func report(_ way: String, _ times: [Duration]) {
            let sorted = times.map(\.inMilliseconds).sorted()
            let figures = [sorted[0], sorted[sorted.count / 2], sorted[sorted.count - 1]].map { String(format: "%.2f", $0) }
            let text = "min \(figures[0]), median \(figures[1]), max \(figures[2]) ms"
            print("from \(way) to a closed connection, \(sorted.count) times: \(text)")
            #expect(sorted[sorted.count - 1] < 200)
        }

        @Test func theServerSeesTheConnectionClosedWithin200MillisecondsOfACancel() async throws {
            try await test {
                var times: [Duration] = []
                for round in 0..<50 {
                    let call = Task { try await client.ips.list() }
                    try await until("it is sent") { server.requests.count == round + 2 }
                    let start = ContinuousClock.now
                    call.cancel()
                    times.append(time(until: { server.gone == round + 1 }, since: start))
                    await #expect(throws: CancellationError.self) { try await call.value }
                }
                report("Task.cancel", times)
                #expect(server.requests.count == 51, "none was retried")
            }
        }

        @Test func theServerSeesTheConnectionsClosedWithin200MillisecondsOfCancellingAGroup() async throws {
            try await test {
                var times: [Duration] = []
                for round in 0..<20 {
                    let errors = try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<5 {
                            group.addTask { _ = try await client.ips.list() }
                        }
                        try await until("all are sent") { server.requests.count == 5 * round + 6 }
                        let start = ContinuousClock.now
                        group.cancelAll()
                        times.append(time(until: { server.gone == 5 * round + 5 }, since: start))
                        var errors: [any Error] = []
                        while let result = await group.nextResult() {
                            if case .failure(let error) = result { errors.append(error) }
                        }
                        return errors
                    }
                    #expect(errors.count == 5 && errors.allSatisfy { $0 is CancellationError })
                }
                report("cancelAll of a group", times)
            }
        }

        @Test func whenOneOfSeveralCallsFailsTheOthersAreAbandoned() async throws {
            try await test {
                let other = try Server(.answer(404))
                defer { other.close() }
                let error = await failure {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<10 {
                            group.addTask { _ = try await client.ips.list() }
                        }
                        try await until("all are sent") { server.requests.count == 11 }
                        group.addTask {
                            let client = try Client(username: username, password: password, baseURL: other.baseURL)
                            _ = try await client.subAccounts.get("nobody")
                        }
                        for try await _ in group {}
                    }
                }
                #expect(error?.kind == .notFound)
                try await until("all are gone") { server.gone == 10 }
            }
        }

        @Test func aTaskThatIsAlreadyCancelledSendsNothing() async throws {
            try await test {
                let call = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await client.ips.list()
                }
                await #expect(throws: CancellationError.self) { try await call.value }
                #expect(server.requests.count == 1)
            }
        }

        @Test func aCancelledCallIsNotRetried() async throws {
            try await test {
                let call = Task { try await client.proxies.list() }
                try await until("it is sent") { server.requests.count == 2 }
                try await Task.sleep(for: .milliseconds(50))
                let start = ContinuousClock.now
                call.cancel()
                await #expect(throws: CancellationError.self) { try await call.value }
                #expect(ContinuousClock.now - start < .milliseconds(200))
                #expect(server.requests.count == 2)
            }
        }

        @Test func aCallThatWaitsAtTheGateCanBeCancelled() async throws {
            defer { server.close() }
            // Until the credentials have succeeded once, only one request is in flight, and the others wait for it.
            let first = Task { try await client.ips.list() }
            try await until("it is sent") { server.requests.count == 1 }
            let held = Task { try await client.ips.list() }
            try await Task.sleep(for: .milliseconds(50))
            let start = ContinuousClock.now
            held.cancel()
            await #expect(throws: CancellationError.self) { try await held.value }
            #expect(ContinuousClock.now - start < .milliseconds(200))
            #expect(server.requests.count == 1)
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
        }

        @Test func aCancelledCallEndsWithItsResponseOrCancellationError() async throws {
            try await test {
                var answered = 0
                for round in 0..<5000 {
                    let call = Task { try await client.geo.open() }
                    for _ in 0..<(round % 50) {
                        await Task.yield()
                        if round % 10 == 0 { usleep(20) }
                    }
                    call.cancel()
                    switch await call.result {
                    case .success(let counts):
                        #expect(counts == ["US": 1])
                        answered += 1
                    case .failure(let error):
                        #expect(error is CancellationError)
                    }
                }
                print("of 5,000 calls cancelled at some time, \(answered) had their response by then")
            }
        }

        @Test func aCallEndsIfManyTasksCancelItWhileItStartsAndEnds() async throws {
            try await test {
                for _ in 0..<50 {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for delay in 0..<40 {
                            let call = Task { try await client.geo.open() }
                            for _ in 0..<2 {
                                group.addTask {
                                    if delay > 10 { usleep(UInt32(delay) * 10) }
                                    call.cancel()
                                }
                            }
                            group.addTask {
                                do {
                                    let counts = try await call.value
                                    #expect(counts == ["US": 1])
                                } catch {
                                    #expect(error is CancellationError)
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
        }

        @Test func aClientThatIsReleasedDuringACallLetsItEnd() async throws {
            let slow = try Server { request in
                if request.path == "/api/geoips/open/" { usleep(100_000) }
                return .answer(200, #"{"US": 1}"#)
            }
            defer { slow.close() }
            var other: ProxyMesh.Client? = try Client(username: username, password: password, baseURL: slow.baseURL)
            _ = try await other!.geo.world()
            let weak = Weak(object: other!)
            let call = Task { [geo = other!.geo] in try await geo.open() }
            try await until("it is sent") { slow.requests.count == 2 }
            other = nil
            #expect(try await call.value == ["US": 1])
            #expect(weak.object == nil)
            // A client is released at the end of its last call, which may be at any moment for the library.
            for _ in 0..<500 {
                let short = try client.withOptions(maxRetries: 0)
                let call = Task { try await short.geo.open() }
                await Task.yield()
                #expect(try await call.value == ["US": 1])
            }
        }

        @Test func tenThousandCallsOfWhichManyAreCancelledLeaveNothingBehind() async throws {
            func cancelMany(_ rounds: Int) async throws -> Int {
                var cancelled = 0
                for round in 0..<rounds {
                    let calls = (0..<50).map { index in
                        Task {
                            // A quarter never get a response.
                            if index % 4 == 0 { _ = try await client.ips.list() } else { _ = try await client.geo.open() }
                        }
                    }
                    usleep(UInt32(round % 20) * 100)
                    for (index, call) in calls.enumerated() where index % 4 == 0 || Bool.random() { call.cancel() }
                    for call in calls {
                        do {
                            try await call.value
                        } catch {
                            #expect(error is CancellationError)
                            cancelled += 1
                        }
                    }
                }
                return cancelled
            }
            try await test {
                _ = try await cancelMany(20)
                try await Task.sleep(for: .milliseconds(200))
                let before = Left()
                let cancelled = try await cancelMany(200)
                try await until("no more than before is left: \(before)") { Left().isNoMore(than: before) }
                print("10,000 calls, \(cancelled) of them cancelled: \(before) before, \(Left()) after")
                #expect(Left().megabytes <= before.megabytes + 20)
            }
        }
    }
}
