import Foundation
import ProxyMesh
import ProxyMeshTesting
import TestSupport
import Testing

extension ProxyMeshTests {
    /// Pools of the account's proxies.
    @Suite struct PoolTests {
        private let sandbox: Sandbox
        private let client: Client
        private let blocking: BlockingClient

        init() throws {
            sandbox = try newSandbox()
            client = try Client(username: username, password: password, baseURL: sandbox.baseURL, maxRetries: 0)
            blocking = try BlockingClient(username: username, password: password, baseURL: sandbox.baseURL, maxRetries: 0)
        }

        private func names(_ pool: ProxyPool, _ count: Int) async throws -> [String] {
            var names: [String] = []
            for _ in 0..<count { names.append(try await pool.next().name) }
            return names
        }

        private func namesNow(_ pool: BlockingProxyPool, _ count: Int) throws -> [String] {
            try (0..<count).map { _ in try pool.next().name }
        }

        private func lists() throws -> Int {
            try sandbox.requests().filter { $0.path == "/api/proxies/" }.count
        }

        @Test func eachProxyHasItsTurn() async throws {
            let pool = try client.proxies.pool()
            #expect(!pool.isListed && pool.stats().isEmpty)
            #expect(try lists() == 0)
            #expect(try await names(pool, 5) == ["us-ca", "us-ny", "us-il", "us-ca", "us-ny"])
            #expect(try lists() == 1)
            #expect(pool.isListed)
            #expect(pool.stats().map(\.handedOut) == [2, 2, 1])
            #expect(try await pool.next() == Proxy(host: "us-il.proxymesh.com").using(client))
            #expect(try await client.proxies.pool(usingCredentials: false).next() == Proxy(host: "us-ca.proxymesh.com"))
            let other = try client.proxies.pool(excluding: ["us-ca", "us-il.proxymesh.com:31280"])
            #expect(try await names(other, 2) == ["us-ny", "us-ny"])
        }

        @Test func eachProxyOfABlockingClientHasItsTurn() throws {
            let pool = try blocking.proxies.pool()
            #expect(!pool.isListed && pool.stats().isEmpty)
            #expect(try namesNow(pool, 5) == ["us-ca", "us-ny", "us-il", "us-ca", "us-ny"])
            #expect(try lists() == 1)
            #expect(pool.isListed)
            #expect(pool.stats().map(\.handedOut) == [2, 2, 1])
            #expect(try pool.next() == Proxy(host: "us-il.proxymesh.com").using(blocking))
            let bad = try pool.next()
            #expect(try pool.report(bad, .failure) == .seconds(60))
            #expect(Array(pool.cooling().keys) == [bad])
            #expect(try !namesNow(pool, 9).contains(bad.name))
            #expect(failureNow { try pool.next(in: ["Germany"]) }?.kind == .validation)
            #expect(try Set(namesNow(pool, 4)).count == 2)
        }

        @Test func inRandomOrderEachProxyHasOneTurnPerRound() async throws {
            let pool = try client.proxies.pool(order: .random)
            var rounds: Set<[String]> = []
            for _ in 0..<100 {
                let round = try await names(pool, 3)
                #expect(Set(round).count == 3)
                rounds.insert(round)
            }
            #expect(rounds.count == 6)
        }

        @Test func theFastestProxiesHaveMoreTurns() async throws {
            let pool = try client.proxies.pool(order: .fastest)
            let latencies = ["us-ca": Duration.milliseconds(100), "us-ny": .milliseconds(200), "us-il": .milliseconds(400)]
            _ = try await pool.next()
            for (name, latency) in latencies {
                try pool.report(Proxy(host: "\(name).proxymesh.com"), .success, latency: latency)
            }
            var turns: [String: Int] = [:]
            for name in try await names(pool, 700) { turns[name, default: 0] += 1 }
            for (name, share) in [("us-ca", 400), ("us-ny", 200), ("us-il", 100)] {
                #expect(abs(turns[name, default: 0] - share) <= 2, "\(turns)")
            }
        }

        @Test(arguments: [nil, 402, 403, 407, 429, 500, 509, 0, -1, Int.max, Int.min])
        func aProxyThatFailsCoolsDown(_ status: Int?) async throws {
            let outcome = status.map { ProxyPool.Outcome.status($0) } ?? .failure
            let pool = try client.proxies.pool(cooldown: .seconds(10))
            let bad = try await pool.next()
            #expect(try pool.report(bad, outcome) == .seconds(10))
            #expect(try pool.report(bad, outcome) == nil, "a request that was in progress at the same time")
            let cooling = pool.cooling()
            #expect(Array(cooling.keys) == [bad])
            #expect(cooling[bad].map { (.seconds(5)...Duration.seconds(10)).contains($0) } == true)
            #expect(try await Set(names(pool, 20)) == ["us-ny", "us-il"])
        }

        @Test(arguments: [nil, 200, 204, 301, 404])
        func anOutcomeThatIsNotTheProxysFaultStartsNoCooldown(_ status: Int?) async throws {
            let pool = try client.proxies.pool()
            let proxy = try await pool.next()
            #expect(try pool.report(proxy, status.map { .status($0) } ?? .success) == nil)
            #expect(pool.cooling().isEmpty)
        }

        @Test func aCooldownEndsAndDoublesEachTime() async throws {
            let pool = try client.proxies.pool(cooldown: .milliseconds(10))
            let bad = try await pool.next()
            for wait in [10, 20, 40, 80, 160, 160] {
                #expect(try pool.report(bad, .failure) == .milliseconds(wait))
                try await until("it has cooled down") { pool.cooling().isEmpty }
            }
            #expect(try await Set(names(pool, 3)).count == 3)
            try pool.report(bad, .success)
            #expect(try pool.report(bad, .failure) == .milliseconds(10), "a success ends the count")
        }

        @Test func aReportIgnoresTheCredentialsAndTheExitChoiceOfTheProxy() async throws {
            let pool = try client.proxies.pool()
            let proxy = try await pool.next()
            try pool.report(proxy.using(token: "pm_other").steered(ExitChoice(preferIP: "1.2.3.4")), .failure)
            #expect(try pool.report(Proxy(host: "unknown.proxymesh.com"), .failure) == nil)
            #expect(Array(pool.cooling().keys) == [proxy])
        }

        @Test func theStatsAddUp() async throws {
            let pool = try client.proxies.pool(cooldown: .seconds(10))
            let proxy = try await pool.next()
            try pool.report(proxy, .status(200), latency: .milliseconds(250), bytes: 1000)
            try pool.report(proxy, .status(404), bytes: 24)
            try pool.report(proxy, .status(509), bytes: -1)
            let stats = pool.stats()
            #expect(stats.map(\.proxy.name) == ["us-ca", "us-ny", "us-il"])
            let cooling = try #require(stats[0].cooling)
            #expect(
                stats[0]
                    == ProxyStats(
                        proxy: proxy, handedOut: 1, successes: 2, failures: 1, bytes: 1024, latency: .milliseconds(250),
                        cooling: cooling))
            #expect(try stats[1] == ProxyStats(proxy: Proxy(host: "us-ny.proxymesh.com").using(client)))
            for latency in [.seconds(-1), .nanoseconds(-1), .seconds(-1.7e20)] as [Duration] {
                guard case .validation(let error) = failureNow({ try pool.report(proxy, .success, latency: latency) }) else {
                    Issue.record("the core accepts the latency \(latency)")
                    continue
                }
                #expect(error.field == "latency")
            }
            try pool.report(proxy, .success, latency: .seconds(1e18), bytes: .max)
            #expect(pool.stats()[0].bytes == .max)
        }

        @Test func aCheckCanBeReported() async throws {
            let pool = try client.proxies.pool()
            let (first, second) = (try await pool.next(), try await pool.next())
            #expect(try pool.report(first, ProxyCheck(isOK: true, status: 200, latency: .milliseconds(20))) == nil)
            let failed = ProxyCheck(isOK: false, isReachable: false, latency: .seconds(10))
            #expect(try pool.report(second, failed) == .seconds(60))
            #expect(pool.stats().map(\.latency) == [.milliseconds(20), nil, nil], "only that of a success counts")
            let dead = try await Proxy(host: "127.0.0.1", port: 1).check()
            #expect(!dead.isOK && !dead.isReachable && dead.status == nil)
            #expect(try pool.report(first, dead) == .seconds(60))
        }

        @Test func countriesSelectTheProxiesWithExitsThere() async throws {
            for name in ["open", "world", "de"] { try await client.proxies.add(name) }
            let pool = try client.proxies.pool(countries: ["de"])
            var asked: [String: String?] = [:]
            for _ in 0..<6 {
                let proxy = try await pool.next()
                asked[proxy.name] = try proxy.headers()["X-ProxyMesh-Country"]
                #expect(proxy.exit.country == "DE")
            }
            #expect(asked == ["open": "DE", "world": "DE", "de": nil])
            #expect(pool.stats().count == 3)

            var names: Set<String> = []
            for _ in 0..<10 { names.insert(try await pool.next(in: ["US", "ZA"]).name) }
            #expect(names == ["us-ca", "us-ny", "us-il", "open", "world"], "these override the pool's")
            #expect(try await pool.next(in: ["za"]).exit.country == "ZA")
            let none = try #require(await failure { try await pool.next(in: ["XX"]) })
            #expect(none.kind == .validation && none.description.contains("has exits in XX"))
            for codes in [[], ["Germany"], ["DE", ""]] {
                #expect(await failure { try await pool.next(in: codes) }?.kind == .validation)
            }
        }

        @Test func whenAllProxiesCoolDownTheErrorSaysForHowLong() async throws {
            let pool = try client.proxies.pool(cooldown: .seconds(1))
            for _ in 0..<3 { try pool.report(await pool.next(), .failure) }
            let error = try #require(await failure { try await pool.next() })
            guard case .poolExhausted(let exhausted) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(exhausted.text.hasPrefix("all 3 proxies are cooling down"))
            #expect(["\(error)", error.reason, error.localizedDescription].allSatisfy { $0 == exhausted.text })
            #expect(error.kind == .poolExhausted && error.call == nil && error.status == nil && error.attempts == nil)
            #expect(error.retryAfter == exhausted.retryAfter)
            #expect(exhausted.retryAfter > .zero && exhausted.retryAfter <= .seconds(1))
            try await Task.sleep(for: exhausted.retryAfter)
            #expect(try await pool.next().name == "us-ca")

            for proxy in try await client.proxies.list() { try await client.proxies.delete(proxy) }
            let empty = await failure { try await client.proxies.pool().next() }
            #expect(empty?.kind == .poolExhausted && empty?.retryAfter == .zero)
        }

        @Test func invalidOptionsAreRejectedAtOnce() throws {
            func refused(_ field: String, _ make: () throws -> Any) {
                guard case .validation(let error) = failureNow(make) else {
                    Issue.record("the core accepts an invalid \(field)")
                    return
                }
                #expect(error.field == field)
            }
            for codes in [[], ["Germany"], ["DE", ""]] {
                refused("country") { try client.proxies.pool(countries: codes) }
                refused("country") { try blocking.proxies.pool(countries: codes) }
            }
            refused("proxy") { try client.proxies.pool(excluding: ["http://x"]) }
            for time in [.zero, .seconds(-1), .seconds(-1.7e20)] as [Duration] {
                refused("ttl") { try client.proxies.pool(ttl: time) }
                refused("cooldown") { try blocking.proxies.pool(cooldown: time) }
            }
            #expect(try sandbox.requests().isEmpty)
        }

        @Test func theListIsFetchedAgainWhenItIsDue() async throws {
            let pool = try client.proxies.pool(ttl: .milliseconds(100))
            let bad = try await pool.next()
            try pool.report(bad, .failure)
            try await client.proxies.delete("us-ny")
            try await client.proxies.add("uk")
            try await Task.sleep(for: .milliseconds(150))
            #expect(try await Set(names(pool, 6)) == ["us-il", "uk"])
            #expect(Array(pool.cooling().keys) == [bad], "a known proxy keeps what is known about it")
            try sandbox.inject(.status(503), times: 0)
            try await Task.sleep(for: .milliseconds(150))
            #expect(try await ["us-il", "uk"].contains(pool.next().name), "the old list is better than none")
            #expect(await failure { try await client.proxies.pool().next() }?.kind == .server)
        }

        @Test func aPoolOfAClosedClientHandsOutWhatItKnows() async throws {
            let (used, unused) = (try client.proxies.pool(), try client.proxies.pool())
            let (usedNow, unusedNow) = try blockingly { (try blocking.proxies.pool(), try blocking.proxies.pool()) }
            _ = try await used.next()
            try blockingly { _ = try usedNow.next() }
            client.close()
            blocking.close()
            #expect(try await used.next().name == "us-ny")
            #expect(await failure { try await unused.next() }?.kind == .config)
            try blockingly { () throws in
                #expect(try usedNow.next().name == "us-ny")
                #expect(failureNow { try unusedNow.next() }?.kind == .config)
            }
        }

        @Test func aPoolOutlivesItsClient() async throws {
            var short: Client? = try client.withOptions(maxRetries: 1)
            let pool = try short!.proxies.pool()
            let weak = Weak(object: short!)
            short = nil
            #expect(weak.object == nil)
            #expect(try await pool.next().name == "us-ca")
        }

        @Test func aTaskThatFetchesTheListCanBeCancelled() async throws {
            _ = try await client.geo.open()
            try sandbox.inject(.delay(.seconds(30)), path: "/api/proxies/")
            let pool = try client.proxies.pool()
            let fetching = Task { try await pool.next() }
            try await until("it fetches") { (try? lists()) == 1 }
            let waiting = Task { try await pool.next() }
            try await Task.sleep(for: .milliseconds(50))
            fetching.cancel()
            await #expect(throws: CancellationError.self) { try await fetching.value }
            #expect(try await waiting.value.name == "us-ca", "another one fetches it")
        }

        @Test func aThousandTasksShareAPoolEvenly() async throws {
            let pool = try client.proxies.pool()
            let turns = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<1000 { group.addTask { try await pool.next().name } }
                return try await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(try lists() == 1)
            checkIsEven(turns, 1000, 3)
            #expect(pool.stats().map(\.handedOut).reduce(0, +) == 1000)
        }

        @Test func sixtyFourThreadsShareAPoolEvenly() async throws {
            let pool = try blockingly { try blocking.proxies.pool() }
            let turns = Locked<[String: Int]>([:])
            try await inThreads(64) { _ in
                let names = try namesNow(pool, 100)
                turns.with { turns in
                    for name in names { turns[name, default: 0] += 1 }
                }
            }
            #expect(try lists() == 1)
            checkIsEven(turns.with { $0 }, 6400, 3)
        }

        private func checkIsEven(_ turns: [String: Int], _ all: Int, _ proxies: Int) {
            print("\(all) turns: \(turns)")
            let share = Double(all) / Double(proxies)
            #expect(turns.count == proxies && turns.values.reduce(0, +) == all)
            #expect(turns.values.allSatisfy { abs(Double($0) - share) <= share * 0.05 })
        }

        /// Each caller notes when it asked. No proxy that was already cooling down at that time may be handed out.
        private final class Watch: Sendable {
            private struct Seen {
                var asked: [(ContinuousClock.Instant, String)] = []
                var cooled: [String: ContinuousClock.Instant] = [:]
            }

            private let seen = Locked(Seen())

            func saw(_ proxy: Proxy, _ asked: ContinuousClock.Instant) {
                seen.with { $0.asked.append((asked, proxy.name)) }
            }

            func cooled(_ proxy: Proxy) {
                seen.with { $0.cooled[proxy.name] = .now }
            }

            func check(_ count: Int) {
                seen.with { seen in
                    #expect(seen.asked.count == count)
                    #expect((1...2).contains(seen.cooled.count))
                    let wrong = seen.asked.filter { asked, name in seen.cooled[name].map { asked > $0 } ?? false }
                    #expect(wrong.isEmpty)
                }
            }
        }

        @Test func noneOfAThousandTasksGetsAProxyThatIsCoolingDown() async throws {
            let pool = try client.proxies.pool(cooldown: .seconds(3600))
            let watch = Watch()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<1000 {
                    group.addTask {
                        for _ in 0..<5 {
                            let asked = ContinuousClock.now
                            let proxy = try await pool.next()
                            watch.saw(proxy, asked)
                            if index == 300 || index == 600 {
                                try pool.report(proxy, .status(407))
                                if pool.cooling()[proxy] != nil { watch.cooled(proxy) }
                                break
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            watch.check(998 * 5 + 2)
        }

        @Test func noneOf64ThreadsGetsAProxyThatIsCoolingDown() async throws {
            let pool = try blockingly { try blocking.proxies.pool(cooldown: .seconds(3600)) }
            let watch = Watch()
            try await inThreads(64) { index in
                for turn in 0..<100 {
                    let asked = ContinuousClock.now
                    let proxy = try pool.next()
                    watch.saw(proxy, asked)
                    if (index, turn) == (7, 50) || (index, turn) == (9, 60) {
                        try pool.report(proxy, .failure)
                        watch.cooled(proxy)
                    }
                }
            }
            watch.check(6400)
        }
    }
}
