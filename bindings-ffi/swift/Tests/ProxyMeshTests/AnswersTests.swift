import Foundation
import ProxyMesh
import TestSupport
import Testing

extension ProxyMeshTests {
    /// What a bad answer becomes: kind, fields and text, as `tests/tables/bad_answers.json` says.
    @Suite struct AnswersTests {
        private func answer(_ row: JSON, _ elsewhere: Server) throws -> Answer {
            let given = try #require(row["answer"])
            func filled(_ text: String) -> String {
                text.replacingOccurrences(of: "{elsewhere}", with: elsewhere.baseURL.absoluteString)
                    .replacingOccurrences(of: "{password}", with: password)
            }
            let bodies: [[UInt8]?] = [
                given["body"]?.text.map { Array(filled($0).utf8) },
                given["body_base64"]?.text.flatMap { Data(base64Encoded: $0) }.map { Array($0) },
                try given["body_repeat"].map { Array(try JSON.object(["repeat": $0]).writtenOut.utf8) },
            ]
            let body = bodies.compactMap { $0 }
            try #require(body.count == 1, row.short)
            let headers = given["headers"]?.object ?? [:]
            return Answer(
                status: Int(try #require(given["status"]?.whole)), body: body[0],
                headers: try headers.mapValues { filled(try #require($0.text)) }, truncate: given["truncate"] != nil,
                chunked: given["chunked"] != nil)
        }

        @Test(arguments: Way.allCases)
        func everyBadAnswerBecomesTheErrorThatTheTableSays(_ way: Way) async throws {
            let elsewhere = try Server(.answer(200, "{}"))
            defer { elsewhere.close() }
            let rows = try rows("bad_answers")
            #expect(rows.count >= 25)
            let known: Set = ["kind", "status", "reason", "field_errors", "retry_after", "body", "text", "requests"]
            for row in rows {
                let server = try Server(.answer(answer(row, elsewhere)))
                defer { server.close() }
                let account = try way.open(server.baseURL, Options(maxRetries: 0))
                let error = try #require(await failure { try await account.call(Arguments(row)) }, row.short)
                let expected = try #require(row["error"]?.object)
                #expect(known.isSuperset(of: expected.keys), row.short)
                let fields = error.fields
                #expect(error.kind.rawValue == expected["kind"]?.text, row.short)
                #expect(error.call == row["call"]?.text, row.short)
                #expect(error.status == expected["status"]?.whole.map(Int.init), row.short)
                for name in ["reason", "field_errors", "retry_after"] {
                    if let wanted = expected[name] { #expect(fields[name] == wanted, row.short) }
                }
                if let body = try expected["body"]?.writtenOut { #expect(error.body == body, row.short) }
                if let text = expected["text"]?.text { #expect(error.description == text) }
                #expect((error.body ?? "").utf8.count <= 4096, row.short)
                #expect(error.description.count < 1024, row.short)
                #expect(server.requests.count == expected["requests"]?.whole.map(Int.init) ?? 1, row.short)
            }
            #expect(elsewhere.connections == 0, "a redirect was followed")
        }
    }
}
