import ProxyMesh
import TestSupport
import Testing

extension ProxyMeshTests {
    /// Bad input is refused before anything is sent, with the field and the rule; at the limit of the rules it is let through.
    @Suite struct InputsTests {
        @Test(arguments: Way.allCases)
        func badInputIsRefusedAsTheTableSays(_ way: Way) async throws {
            let server = try Server(.answer(404))
            defer { server.close() }
            let account = try way.open(server.baseURL)
            let rows = try rows("bad_inputs")
            #expect(rows.count >= 80)
            for row in rows {
                let error = try #require(await failure { try await account.call(Arguments(row)) }, row.short)
                guard case .validation(let validation) = error else {
                    Issue.record("\(error.kind): \(row.short)")
                    continue
                }
                #expect(validation.field == row["field"]?.text, row.short)
                #expect(validation.reason == row["reason"]?.text, row.short)
                #expect(error.description == "\(validation.field): \(validation.reason)")
                #expect(error.call == nil)
                #expect(error.description.count < 200, "a huge input is not quoted")
            }
            #expect(server.connections == 0)
        }

        @Test(arguments: Way.allCases)
        func inputAtTheLimitIsLetThrough(_ way: Way) async throws {
            let server = try Server(.answer(404))
            defer { server.close() }
            let account = try way.open(server.baseURL)
            for (before, row) in try rows("good_inputs").enumerated() {
                let error = try #require(await failure { try await account.call(Arguments(row)) }, row.short)
                #expect(error.kind == .notFound, row.short)
                #expect(server.requests.count == before + 1, row.short)
            }
        }
    }
}
