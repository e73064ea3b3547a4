import Foundation
import ProxyMesh
import ProxyMeshTesting
import Scraper
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The code in docs/swift.md, with each kind of credentials, for an http and an https page. `SITE` has both URLs. The site returns
/// what it got.
@Suite struct GuideTests {
    private static let password = "@:/% é+ß"
    private static let pages = (ProcessInfo.processInfo.environment["SITE"] ?? "").split(separator: " ").map {
        URL(string: String($0))!
    }
    private let sandbox: Sandbox
    private let client: Client

    init() throws {
        sandbox = try Sandbox(username: "me+1@ex.com", password: Self.password, hasProxies: true)
        client = try sandbox.client()
    }

    private func open() async throws -> ProxyMesh.Proxy {
        try await client.proxies.add("open")
        return try #require(try await client.proxies.list().first { $0.name == "open" })
    }

    private func checkIsClean(_ page: Page) {
        let seen = String(decoding: page.body, as: UTF8.self).lowercased()
        #expect(seen.hasPrefix("get / http/1.1"))
        for secret in ["proxy-", "x-proxymesh", "authorization", "pm_", Self.password] {
            #expect(!seen.contains(secret), "\(secret)")
        }
    }

    @Test func thereAreTwoPages() {
        #expect(Self.pages.map(\.scheme) == ["http", "https"])
    }

    @Test(arguments: pages, ["password", "token", "authorised IP"])
    func theProxyGetsWhatItNeedsAndTheSiteDoesNot(_ page: URL, _ access: String) async throws {
        let open = try await open()
        let proxy: ProxyMesh.Proxy
        switch access {
        case "password": proxy = try open.using(client)
        case "token": proxy = try await open.using(token: client.tokens.create().secret)
        default:
            for ip in ["127.0.0.1", "::1"] { try await client.ips.add(ip) }
            proxy = open
        }
        let exit = "198.18.3.5"
        for choice in [.any, try ExitChoice(country: "DE"), try ExitChoice(preferIP: exit)] {
            try sandbox.clearProxiedRequests()
            let fetched = try await fetch(page, through: proxy.steered(choice))
            #expect(fetched.status == 200)
            checkIsClean(fetched)
            let request = try #require(try sandbox.proxiedRequests().first)
            #expect(request.method == (page.scheme == "https" ? "CONNECT" : "GET"))
            #expect(request.account == "me+1@ex.com")
            #expect(request.headers["x-proxymesh-country"] == choice.country)
            if choice.country != nil { #expect(request.country == choice.country) }
            #expect((request.headers["proxy-authorization"] == nil) == (access == "authorised IP"))
            #expect(fetched.exitIP == request.exitIP && fetched.exitIP != nil)
            if choice.preferIP != nil { #expect(request.exitIP == exit) }
        }
    }

    @Test(arguments: pages) func aRefusalOfTheProxyIsTheResult(_ page: URL) async throws {
        let fetched = try await fetch(page, through: open().using(username: "me+1@ex.com", password: "wrong"))
        #expect(fetched.status == 407 && fetched.proxyError != nil && fetched.exitIP == nil)
        #expect(try sandbox.proxiedRequests().count == 1, "the credentials are not sent again")
    }

    @Test(arguments: pages) func theFunctionsOfTheGuideWork(_ page: URL) async throws {
        checkIsClean(try await scrape(page, with: client))
        checkIsClean(try await scrapeAuthorised(page, with: client))
        try sandbox.clearProxiedRequests()
        let pages = try await scrapeTwice(page, through: open().using(client))
        #expect(pages.count == 2 && pages[0].exitIP == pages[1].exitIP)
        #expect(try sandbox.proxiedRequests().suffix(2).map(\.exitIP) == pages.map(\.exitIP))
    }

    @Test func theErrorSaysWhyThereIsNoResponse() async throws {
        let proxy = try Proxy(host: "127.0.0.1", port: 1)
        await #expect { try await fetch(Self.pages[0], through: proxy) } throws: { error in
            (error as? FetchError)?.reason == "Could not connect to server"
        }
    }
    #if os(Linux)
        @Test func onLinuxURLSessionIgnoresTheProxy() async throws {
            let proxy = try await open().using(client)
            let configuration = URLSessionConfiguration.ephemeral
            configuration.connectionProxyDictionary = [
                "HTTPEnable": true, "HTTPProxy": proxy.address.host, "HTTPPort": proxy.address.port,
            ]
            let page = sandbox.baseURL.appendingPathComponent("_sandbox/ip")
            let (body, _) = try await URLSession(configuration: configuration).data(from: page)
            #expect(body == Data("127.0.0.1".utf8))
            #expect(try sandbox.proxiedRequests().isEmpty)
        }
    #endif
}
