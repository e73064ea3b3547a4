import ProxyMesh
import ProxyMeshTesting
import Scraper
import XCTest

/// The same with XCTest.
final class ScraperXCTests: XCTestCase {
    private var sandbox: Sandbox!

    override func setUpWithError() throws {
        sandbox = try Sandbox(hasProxies: true)
    }

    override func tearDown() {
        sandbox.stop()
    }

    func testAPageComesThroughAProxy() async throws {
        let page = sandbox.baseURL.appendingPathComponent("_sandbox/ip")
        let fetched = try await scrape(page, with: sandbox.client())
        XCTAssertEqual(fetched.status, 200)
        XCTAssertEqual(try sandbox.proxiedRequests().map(\.exitIP), [fetched.exitIP])
    }
}
