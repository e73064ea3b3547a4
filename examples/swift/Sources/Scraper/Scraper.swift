import Foundation
import ProxyMesh

/// Fetches a page through one proxy after another, until one works.
public func fetch(_ page: URL, from pool: ProxyPool) async throws -> Page {
    while true {
        let proxy = try await pool.next()  // throws poolExhausted if all proxies have failed
        do {
            let fetched = try await fetch(page, through: proxy)
            if try pool.report(proxy, .status(fetched.status), bytes: fetched.body.count) == nil { return fetched }
        } catch is FetchError {
            try pool.report(proxy, .failure)
        }
    }
}

/// Fetches a page through the account's proxies in some countries.
public func scrape(_ page: URL, with client: Client) async throws -> Page {
    let pool = try client.proxies.pool(countries: ["US", "DE"])
    let fetched = try await fetch(page, from: pool)
    print(fetched.status, fetched.exitIP ?? "no exit IP", fetched.body.count, "bytes")
    return fetched
}

/// Fetches a page twice from the same exit IP.
public func scrapeTwice(_ page: URL, through proxy: Proxy) async throws -> [Page] {
    let session = try await proxy.session()
    var pages: [Page] = []
    for _ in 0..<2 {
        let fetched = try await fetch(page, through: session)
        if let lost = session.lostExit(used: fetched.exitIP, missing: fetched.missingIP) { throw FetchError(reason: lost) }
        pages.append(fetched)
    }
    return pages
}

/// Fetches a page without sending credentials to the proxies.
public func scrapeAuthorised(_ page: URL, with client: Client) async throws -> Page {
    try await client.ips.withAuthorizedIP(label: "scraper") { _ in
        let pool = try client.proxies.pool(usingCredentials: false)
        return try await fetch(page, from: pool)
    }
}
