import Foundation
import ProxyMesh
import TestSupport
import Testing

extension ProxyMeshTests {
    /// What goes over the wire, and what comes of the answer: all 23 calls, by both clients, as `tests/tables/wire.json` says.
    @Suite struct WireTests {
        private func check(_ row: JSON, _ way: Way, _ options: Options, _ authorization: String) async throws {
            let given = try #require(row["answer"])
            let body = given["body"].map { $0 == .null ? "" : $0.written } ?? ""
            let server = try Server(.answer(Int(try #require(given["status"]?.whole)), body))
            defer { server.close() }
            let account = try way.open(server.baseURL, options)
            let value = try await account.call(Arguments(row))
            #expect(value == row["value"] ?? .null, row.short)

            let requests = server.requests
            try #require(requests.count == 1, row.short)
            let request = requests[0]
            let expected = try #require(row["request"])
            #expect(request.method == expected["method"]?.text, row.short)
            #expect(request.path == expected["path"]?.text, row.short)
            #expect(request.query == expected["query"]?.text, row.short)
            #expect(request.form == expected["form"]?.text ?? "", row.short)
            var headers = [
                "accept": "application/json",
                "authorization": authorization,
                "host": "127.0.0.1:\(try #require(server.baseURL.port))",
                "user-agent": "proxymesh-swift/\(try version())",
            ]
            if request.method == "POST" {
                headers["content-type"] = "application/x-www-form-urlencoded"
                headers["content-length"] = String(request.form.utf8.count)
            }
            // Compared without showing them.
            #expect((request.headers == headers) == true, "these headers and no others: \(row.short)")
        }

        /// As the workspace has it.
        private func version() throws -> String {
            let manifest = try String(contentsOf: repository.appendingPathComponent("Cargo.toml"), encoding: .utf8)
            let line = try #require(manifest.split(separator: "\n").first { $0.hasPrefix("version = ") })
            return String(line.split(separator: "\"")[1])
        }

        @Test func theTableHasEveryCall() throws {
            #expect(Set(try rows("wire").map { $0["call"] }).count == 23)
        }

        @Test(arguments: Way.allCases)
        func everyCallIsSentAndItsAnswerReadAsTheTableSays(_ way: Way) async throws {
            for row in try rows("wire") {
                try await check(row, way, Options(), basic)
            }
        }

        @Test(arguments: Way.allCases)
        func aTokenGoesAsBearer(_ way: Way) async throws {
            let options = Options(token: token)
            for row in try rows("wire") where row["call"]?.text?.hasPrefix("tokens.") == false {
                try await check(row, way, options, "Bearer \(token)")
            }
        }
    }
}
