import Foundation
import ProxyMesh
import ProxyMeshTesting
import TestSupport
import Testing

extension ProxyMeshTests {
    /// IPs that are authorised for as long as they are needed, and followers of this machine's address.
    @Suite struct LeasesTests {
        private let ip = "203.0.113.7"
        private let sandbox: Sandbox
        private let client: Client
        private let blocking: BlockingClient
        private let folder: StateFolder

        private struct Oops: Error {}

        init() throws {
            folder = try StateFolder()
            sandbox = try newSandbox()
            client = try Client(username: username, password: password, baseURL: sandbox.baseURL, maxRetries: 0)
            blocking = try BlockingClient(username: username, password: password, baseURL: sandbox.baseURL, maxRetries: 0)
        }

        private func calls(_ path: String) -> Int {
            (try? sandbox.requests().filter { $0.path == path }.count) ?? 0
        }

        private func isAuthorised(_ ip: String) -> Bool {
            (try? blocking.ips.list().contains(ip)) ?? false
        }

        @Test func anIPIsAuthorisedWhileTheBodyRuns() async throws {
            let given = try await client.ips.withAuthorizedIP(ip, label: "crawl") { given in
                #expect(given == ip)
                let labels = try await client.ips.labels()
                #expect(labels == [LabeledIP(ip: ip, label: "crawl")])
                return 7
            }
            #expect(given == 7)
            #expect(try await client.ips.list() == [])
            try await client.ips.withAuthorizedIP { given in
                #expect(given == "127.0.0.1", "this machine's own address, as the sandbox sees it")
                let labels = try await client.ips.labels()
                #expect(labels.map(\.ip) == [given] && labels[0].label.hasPrefix("proxymesh on "))
            }
            #expect(try await client.ips.list() == [])
            try await client.ips.withAuthorizedIP("0:0:0:0:0:0:0:1", lookup: URL(string: "https://x.example")) { given in
                #expect(given == "::1")
            }
        }

        @Test func anIPIsAuthorisedWhileABlockingBodyRuns() throws {
            let given = try blocking.ips.withAuthorizedIP(ip, label: "crawl") { given in
                #expect(given == ip)
                let labels = try blocking.ips.labels()
                #expect(labels == [LabeledIP(ip: ip, label: "crawl")])
                return 7
            }
            #expect(given == 7)
            #expect(try blocking.ips.list() == [])
            #expect(throws: Oops.self) {
                try blocking.ips.withAuthorizedIP(ip) { _ in
                    #expect(try blocking.ips.list() == [ip])
                    throw Oops()
                }
            }
            #expect(try blocking.ips.list() == [])
            try blocking.ips.withAuthorizedIP(ip) { _ in
                try blocking.ips.withAuthorizedIP(ip) { _ in }
                #expect(try blocking.ips.list() == [ip], "the other one still needs it")
                blocking.close()
            }
            let other = try BlockingClient(username: username, password: password, baseURL: sandbox.baseURL)
            #expect(try other.ips.list() == [])
        }

        @MainActor @Test func theBodyRunsOnTheActorOfItsCaller() async throws {
            var seen: [String] = []
            try await client.ips.withAuthorizedIP(ip) { ip in
                MainActor.assertIsolated()
                seen.append(ip)
            }
            #expect(seen == [ip])
        }

        @Test func anIPIsRemovedIfTheBodyThrows() async throws {
            await #expect(throws: Oops.self) {
                try await client.ips.withAuthorizedIP(ip) { _ in
                    #expect(try await client.ips.list() == [ip])
                    throw Oops()
                }
            }
            #expect(try await client.ips.list() == [])
        }

        @Test func theErrorOfTheBodyComesFirst() async throws {
            try sandbox.inject(.status(503), path: "/api/ip/delete/")
            await #expect(throws: Oops.self) { try await client.ips.withAuthorizedIP(ip) { _ in throw Oops() } }
            #expect(try await client.ips.list() == [ip])
            try sandbox.inject(.status(503), path: "/api/ip/delete/")
            #expect(await failure { try await client.ips.withAuthorizedIP(ip) { _ in } }?.kind == .server)
            try await client.ips.withAuthorizedIP(ip) { _ in }
            #expect(try await client.ips.list() == [], "the next one has removed it")
        }

        @Test func anIPIsRemovedIfTheTaskIsCancelled() async throws {
            for _ in 0..<5 {
                let task = Task {
                    try await client.ips.withAuthorizedIP(ip) { _ in try await Task.sleep(for: .seconds(60)) }
                }
                try await until("it is authorised") { isAuthorised(ip) }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try await client.ips.list() == [], "it was removed before the task ended")
            }
            let ignoring = Task {
                try await client.ips.withAuthorizedIP(ip) { _ in
                    withUnsafeCurrentTask { $0?.cancel() }
                    return Task.isCancelled
                }
            }
            #expect(try await ignoring.value, "what the body returns counts")
            #expect(try await client.ips.list() == [])
        }

        @Test func anIPIsRemovedIfTheTaskIsCancelledBeforeTheBodyRuns() async throws {
            _ = try await client.ips.list()
            for path in ["/api/ip_labels/", "/api/ip/add/"] {
                for fault in [Fault.delay(.seconds(5)), .delayAfterApply(.seconds(5))] {
                    try sandbox.inject(fault, path: path)
                    let before = calls(path)
                    let task = Task {
                        try await client.ips.withAuthorizedIP(ip) { _ in _ = Issue.record("it was cancelled") }
                    }
                    try await until("the call arrives") { calls(path) > before }
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await task.value }
                    #expect(try await client.ips.list() == [], "\(fault) \(path)")
                }
            }
            let count = try sandbox.requests().count
            let early = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await client.ips.withAuthorizedIP(ip) { _ in _ = Issue.record("it was cancelled") }
            }
            await #expect(throws: CancellationError.self) { try await early.value }
            #expect(try sandbox.requests().count == count, "nothing was sent")
        }

        @Test func aTaskThatIsCancelledAtAnyMomentLeavesNoIPBehind() async throws {
            _ = try await client.ips.list()
            var reached = 0
            for round in 0..<200 {
                let task = Task {
                    if round % 2 == 0 {
                        try await client.ips.withAuthorizedIP(ip) { _ in }
                    } else {
                        try await client.ips.follow().close()
                    }
                }
                try await Task.sleep(for: .microseconds(round * 10))
                task.cancel()
                switch await task.result {
                case .success: reached += 1
                case .failure(let error): #expect(error is CancellationError)
                }
                #expect(try await client.ips.list() == [], "round \(round)")
            }
            print("of 200 leases whose task was cancelled at some time, \(reached) had ended by then")
        }

        @Test func anIPOfASubAccountIsAuthorised() async throws {
            try await client.subAccounts.create("crawler-1", password: subPassword)
            let own = try Client(username: "crawler-1", password: subPassword, baseURL: sandbox.baseURL)
            try await client.ips.withAuthorizedIP(ip, username: "crawler-1") { _ in
                #expect(try await client.ips.list(username: "crawler-1") == [ip])
                #expect(try await client.ips.list() == [])
                try await own.ips.withAuthorizedIP(ip) { _ in }
                #expect(try await own.ips.list() == [ip], "the parent's call still needs it")
            }
            #expect(try await own.ips.list() == [])
            #expect(
                await failure { try await client.ips.withAuthorizedIP(ip, username: "nobody") { _ in } }?.kind == .notFound)
        }

        @Test func theLastOfSeveralCallsRemovesTheIP() async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await client.ips.withAuthorizedIP(ip) { _ in
                            let ips = try await client.ips.list()
                            #expect(ips == [ip])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await client.ips.list() == [])
            try await inThreads(8) { _ in
                let ips = try blocking.ips.withAuthorizedIP(ip) { _ in try blocking.ips.list() }
                #expect(ips == [ip])
            }
            #expect(try await client.ips.list() == [])
            try await client.ips.withAuthorizedIP(ip) { _ in
                let both = try await client.ips.withAuthorizedIP("203.0.113.8") { _ in try await client.ips.list() }
                #expect(Set(both) == [ip, "203.0.113.8"])
                #expect(try await client.ips.list() == [ip])
            }
        }

        @Test func anIPThatWasAuthorisedBeforeStays() async throws {
            try await client.ips.add(ip, label: "office")
            try await client.ips.withAuthorizedIP(ip) { _ in }
            #expect(try await client.ips.labels() == [LabeledIP(ip: ip, label: "office")])
        }

        @Test func theClientMayBeClosedBeforeTheIPIsRemoved() async throws {
            let other = try client.withOptions(maxRetries: 1)
            let ips = try await other.ips.withAuthorizedIP(ip) { _ in
                other.close()
                return try await client.ips.list()
            }
            #expect(ips == [ip])
            #expect(try await client.ips.list() == [])
            #expect(await failure { try await other.ips.withAuthorizedIP(ip) { _ in } }?.kind == .config)
            #expect(await failure { try await other.ips.follow() }?.kind == .config)
        }

        @Test func invalidArgumentsAreRejectedAtOnce() async throws {
            func refused(_ field: String, _ error: ProxyMeshError?) {
                guard case .validation(let error) = error else {
                    Issue.record("the core accepts an invalid \(field)")
                    return
                }
                #expect(error.field == field)
            }
            let (ips, long) = (client.ips, String(repeating: "x", count: 256))
            let page = URL(string: "ftp://x")
            refused("ip", await failure { try await ips.withAuthorizedIP("1.2.3") { _ in } })
            refused("label", await failure { try await ips.withAuthorizedIP(label: long) { _ in } })
            refused("lookup", await failure { try await ips.withAuthorizedIP(lookup: page) { _ in } })
            refused("username", await failure { try await ips.withAuthorizedIP(username: "") { _ in } })
            refused("label", await failure { try await ips.follow(label: long) })
            refused("lookup", await failure { try await ips.follow(lookup: page) })
            refused("username", await failure { try await ips.follow(username: "") })
            blockingly {
                let ips = blocking.ips
                refused("ip", failureNow { try ips.withAuthorizedIP("1.2.3") { _ in } })
                refused("lookup", failureNow { try ips.withAuthorizedIP(lookup: page) { _ in } })
                for interval in [.zero, .milliseconds(999), .seconds(86_401), .seconds(-1)] as [Duration] {
                    refused("interval", failureNow { try ips.follow(interval: interval) })
                }
            }
            #expect(try sandbox.requests().isEmpty)
        }

        @Test func aFollowerKeepsTheAddressAuthorisedUntilItIsClosed() async throws {
            let follower = try await client.ips.follow(label: "home", interval: .seconds(1))
            #expect(follower.ip == "127.0.0.1" && follower.error == nil && follower.isRunning)
            #expect(try await client.ips.labels() == [LabeledIP(ip: "127.0.0.1", label: "home")])
            try await client.ips.withAuthorizedIP { _ in }
            #expect(isAuthorised("127.0.0.1"), "the follower still needs it")
            client.close()
            try await follower.close()
            #expect(!isAuthorised("127.0.0.1") && !follower.isRunning)
            #expect(follower.ip == "127.0.0.1" && follower.error == nil)
            try await follower.close()
        }

        @Test func aBlockingFollowerKeepsTheAddressAuthorisedUntilItIsClosed() throws {
            try blocking.subAccounts.create("crawler-1", password: subPassword)
            let follower = try blocking.ips.follow(username: "crawler-1", interval: .seconds(1))
            #expect(follower.ip == "127.0.0.1" && follower.error == nil && follower.isRunning)
            #expect(try blocking.ips.list(username: "crawler-1") == ["127.0.0.1"])
            try follower.close()
            #expect(try blocking.ips.list(username: "crawler-1") == [])
            #expect(!follower.isRunning)
            try follower.close()
        }

        @Test func aFollowerSaysThatACheckHasFailedAndGoesOn() async throws {
            let follower = try await client.ips.follow(interval: .seconds(1))
            let blocked = try blockingly { try blocking.ips.follow(interval: .seconds(1)) }
            sandbox.stop()
            try await until("a check has failed") { follower.error != nil && blocked.error != nil }
            #expect(follower.error?.kind == .connection && blocked.error?.kind == .connection)
            #expect(follower.error?.call == "ips.follow")
            #expect(follower.isRunning && blocked.isRunning && follower.ip == "127.0.0.1")
            // The last one of the two has to remove the IP.
            let errors = [failureNow { try blocked.close() }, await failure { try await follower.close() }]
            #expect(errors.map { $0?.kind } == [nil, .connection])
            #expect(!follower.isRunning && !blocked.isRunning)
        }

        @Test(.enabled(if: Relay.isPossible, "the address can change only if this machine has IPv6"))
        func aFollowerFollowsThreeChangesAndATimeOffline() async throws {
            let relay = try Relay(to: UInt16(#require(sandbox.baseURL.port)))
            defer { relay.close() }
            try relay.open(.v4)
            let client = try Client(username: username, password: password, baseURL: relay.baseURL)
            let follower = try await client.ips.follow(label: "home", interval: .seconds(1))
            #expect(follower.ip == Loopback.v4.rawValue)
            for address in [Loopback.v6, .v4, .v6] {
                try relay.open(address)
                let now = LabeledIP(ip: address.rawValue, label: "home")
                try await until("it has followed") { follower.ip == now.ip && (try? blocking.ips.labels()) == [now] }
                #expect(follower.error == nil)
            }
            relay.close()
            try await until("it is offline") { follower.error != nil }
            #expect(follower.error?.kind == .connection && follower.isRunning && follower.ip == "::1")
            #expect(isAuthorised("::1"), "the last address stays")
            try relay.open(.v4)
            try await until("it is back") { follower.error == nil && follower.ip == "127.0.0.1" && !isAuthorised("::1") }
            try await follower.close()
            #expect(try await self.client.ips.list() == [])
        }

        @Test(
            .enabled(if: Relay.isPossible, "the address can change only if this machine has IPv6"),
            arguments: Way.allCases)
        func rejectedCredentialsEndAFollower(_ way: Way) async throws {
            let relay = try Relay(to: UInt16(#require(sandbox.baseURL.port)))
            defer { relay.close() }
            try relay.open(.v4)
            let (isRunning, error, close): (() -> Bool, () -> ProxyMeshError?, () async throws -> Void)
            switch way {
            case .async:
                let client = try Client(username: username, password: password, baseURL: relay.baseURL)
                let follower = try await client.ips.follow(interval: .seconds(1))
                (isRunning, error, close) = ({ follower.isRunning }, { follower.error }, { try await follower.close() })
            case .blocking:
                let client = try BlockingClient(username: username, password: password, baseURL: relay.baseURL)
                let follower = try blockingly { try client.ips.follow(interval: .seconds(1)) }
                (isRunning, error) = ({ follower.isRunning }, { follower.error })
                close = { try blockingly { try follower.close() } }
            }
            #expect(isRunning() && error() == nil)
            // A check calls the service only if the address has changed.
            try sandbox.inject(.status(401), path: "/api/ip_labels/", times: 0)
            try relay.open(.v6)
            try await until("it has ended") { !isRunning() }
            let refusal = try #require(error())
            #expect(refusal.kind == .authentication || refusal.kind == .authenticationBlocked)
            #expect(await failure { try await close() } == refusal, "closing it says why it has ended")
            #expect(try sandbox.requests().filter { $0.status == 401 }.count <= 2, "the caller is not banned")
            #expect(isAuthorised("127.0.0.1"), "nobody can remove it")
        }

        @Test func anIPThatAFollowerCannotRemoveIsAnError() async throws {
            let follower = try await client.ips.follow()
            try sandbox.inject(.status(503), path: "/api/ip/delete/")
            #expect(await failure { try await follower.close() }?.kind == .server)
            #expect(isAuthorised("127.0.0.1"))
            try await client.ips.follow().close()
            #expect(!isAuthorised("127.0.0.1"))
        }

        @Test func leasesAndFollowersLeaveNothingBehind() async throws {
            func use(_ rounds: Int) async throws {
                for _ in 0..<rounds {
                    try await client.ips.withAuthorizedIP(ip) { _ in }
                    try await client.ips.follow().close()
                    _ = try await client.ips.follow()
                    try blockingly { try blocking.ips.follow().close() }
                }
            }
            try await use(10)
            let before = Left()
            try await use(100)
            try await until("no more than before is left: \(before)") { Left().isNoMore(than: before) }
            try await until("the IP is removed") { !isAuthorised("127.0.0.1") }
            print("400 leases: \(before) before, \(Left()) after")
        }

        @Test func aFollowerThatIsNoLongerReferencedEnds() async throws {
            var follower: IPFollower? = try await client.ips.follow()
            #expect(isAuthorised(follower!.ip))
            follower = nil
            try await until("it has removed the IP") { !isAuthorised("127.0.0.1") }
        }

        @Test func aCancelledTaskClosesItsFollower() async throws {
            let task = Task {
                let follower = try await client.ips.follow()
                withUnsafeCurrentTask { $0?.cancel() }
                try await follower.close()
            }
            try await task.value
            #expect(try await client.ips.list() == [])
        }

        @Test func aFollowerWhoseStartIsCancelledIsClosed() async throws {
            _ = try await client.ips.list()
            for fault in [Fault.delay(.seconds(5)), .delayAfterApply(.seconds(5))] {
                try sandbox.inject(fault, path: "/api/ip/add/")
                let before = calls("/api/ip/add/")
                let task = Task { try await client.ips.follow() }
                try await until("the call arrives") { calls("/api/ip/add/") > before }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try await client.ips.list() == [], "\(fault)")
            }
            try sandbox.inject(.status(503), path: "/api/ip/add/")
            #expect(await failure { try await client.ips.follow() } != nil)
            #expect(try await client.ips.list() == [])
        }
    }
}
