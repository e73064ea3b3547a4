import Foundation
import ProxyMesh
import Testing

/// What clients are made from.
@Suite struct ClientTests {
    @Test func aClientIsMadeWithoutAnythingSent() throws {
        let client = try BlockingClient(username: "x", password: "y")
        #expect(client.baseURL?.absoluteString == "https://proxymesh.com")
    }
}
