import Foundation
import ProxyMesh
import ProxyMeshTesting
import Scraper
import Testing

/// Tests of your own code against the sandbox. Swift Testing creates this suite for each test, so each has an account of its own.
@Suite struct ScraperTests {
    private let sandbox: Sandbox
    private let client: Client
    /// A page of the sandbox. It says where the request came from.
    private let page: URL

    init() throws {
        sandbox = try Sandbox(hasProxies: true)
        client = try sandbox.client()
        page = sandbox.baseURL.appendingPathComponent("_sandbox/ip")
    }

    @Test func aPageComesThroughAProxy() async throws {
        let fetched = try await scrape(page, with: client)
        #expect(fetched.status == 200 && fetched.body == Data("127.0.0.1".utf8))
        let request = try #require(try sandbox.proxiedRequests().first)
        #expect(request.account == sandbox.username && request.exitIP == fetched.exitIP)
    }

    @Test func aProxyThatFailsIsLeftOut() async throws {
        let pool = try client.proxies.pool()
        let bad = try await pool.next().name
        for _ in 0..<2 { _ = try await pool.next() }
        try sandbox.inject(.status(502), proxy: bad)
        #expect(try await fetch(page, from: pool).status == 200)
        #expect(pool.cooling().keys.map(\.name) == [bad])
        #expect(try sandbox.proxiedRequests().map(\.status) == [502, 200])
    }

    @Test func theMonthlyLimitEndsIt() async throws {
        let pool = try client.proxies.pool()
        for name in try await client.proxies.list().map(\.name) { try sandbox.inject(.status(509), proxy: name) }
        await #expect { try await fetch(page, from: pool) } throws: { error in
            (error as? ProxyMeshError)?.kind == .poolExhausted
        }
    }

    @Test func noIPStaysAuthorised() async throws {
        #expect(try await scrapeAuthorised(page, with: client).status == 200)
        #expect(try await client.ips.list() == [])
        #expect(try sandbox.proxiedRequests().first?.headers["proxy-authorization"] == nil)
    }

    @Test func anOutageIsNoticed() async throws {
        try sandbox.inject(.status(503), path: "/api/proxies/", times: 0)
        await #expect { try await scrape(page, with: client.withOptions(maxRetries: 0)) } throws: { error in
            (error as? ProxyMeshError)?.kind == .server
        }
        try sandbox.clearFaults()
        #expect(try await scrape(page, with: client).status == 200)
    }
}
