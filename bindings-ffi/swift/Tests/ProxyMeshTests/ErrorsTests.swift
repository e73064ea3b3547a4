import Foundation
import ProxyMesh
import TestSupport
import Testing

extension ProxyMeshTests {
    /// Every kind of error with all its fields and its text, as `tests/tables/errors.json` says.
    @Suite struct ErrorsTests {
        /// The row's error, as it comes out of a client made as the row says.
        private func made(_ row: JSON, _ way: Way) async throws -> ProxyMeshError {
            let server: Server
            if let answer = row["answer"] {
                if answer["hang"] != nil {
                    server = try Server(.hang)
                } else if answer["close"] != nil {
                    server = try Server(.close)
                } else {
                    let headers = try (answer["headers"]?.object ?? [:]).mapValues { try #require($0.text) }
                    server = try Server(
                        .answer(Int(try #require(answer["status"]?.whole)), try #require(answer["body"]?.text), headers))
                }
            } else {
                server = try Server(.answer(500))
            }
            defer { server.close() }
            let client = row["client"]?.object ?? [:]
            try #require(Set(["base_url", "timeout", "token"]).isSuperset(of: client.keys), row.short)

            for number in 0..<(row["failed_before"]?.whole ?? 0) {
                let account = try way.open(server.baseURL, Options(password: "wrong \(number)"))
                let before = await failure { try await account.call(Arguments(row)) }
                #expect(before?.kind == .authentication)
            }
            var options = client["token"]?.text.map(Options.init(token:)) ?? Options()
            options.timeout = client["timeout"]?.number.map { .seconds($0) }
            options.maxRetries = 0
            let baseURL = try client["base_url"]?.text.map { try #require(URL(string: $0)) } ?? server.baseURL
            return try #require(
                await failure {
                    try await way.open(baseURL, options).call(Arguments(row))
                }, row.short)
        }

        @Test(arguments: Way.allCases)
        func everyKindHasItsFieldsAndItsText(_ way: Way) async throws {
            var kinds: Set<ProxyMeshError.Kind> = []
            for row in try rows("errors") {
                let error = try await made(row, way)
                kinds.insert(error.kind)
                let expected = try #require(row["error"]?.object)
                var fields = try #require(expected["fields"]?.object)
                var text = try #require(expected["text"]?.text)
                if let most = fields["retry_after"]?["about"]?.number {
                    let left = try #require(error.fields["retry_after"]?.number)
                    #expect(left <= most && left > most - 60)
                    fields["retry_after"] = error.fields["retry_after"]
                    text = text.replacingOccurrences(of: "{retry_after}", with: String(Int(left.rounded(.up))))
                }
                #expect(error.kind.rawValue == expected["kind"]?.text, row.short)
                #expect(error.fields == fields, row.short)

                #expect("\(error)" == text)
                #expect(error.localizedDescription == text)
                #expect((error as any Error).localizedDescription == text, "as whoever catches any Error sees it")
                #expect(error.errorDescription == text)
                #expect(String(reflecting: error) == text)

                // What every error can be asked.
                #expect(JSON(error.call) == fields["call"])
                #expect(JSON(error.reason) == fields["reason"] ?? .null)
                #expect(JSON(error.body) == fields["body"] ?? .null)
                #expect(error.status.map(Int64.init) == fields["status"]?.whole)
                #expect(error.attempts.map(Int64.init) == fields["attempts"]?.whole)
                #expect(error.retryAfter.map { $0 / .seconds(1) } == fields["retry_after"]?.number)
                #expect((error.refusal != nil) == (fields["field_errors"] != nil))
            }
            // The last is of panics, which have a test of their own.
            #expect(Set(ProxyMeshError.Kind.allCases).subtracting(kinds) == [.internalError])
        }

        @Test func anErrorIsCaughtByItsKindWithItsFields() async throws {
            let server = try Server(.answer(429, "", ["Retry-After": "61"]))
            defer { server.close() }
            let client = try Client(username: username, password: password, baseURL: server.baseURL)
            do {
                _ = try await client.ips.list()
                Issue.record("it is refused")
            } catch ProxyMeshError.rateLimited(let refusal) {
                #expect(refusal.retryAfter == .seconds(61))
            }
        }

        @Test func whateverIsAskedToWaitForFitsADuration() async throws {
            for seconds in ["18446744073709551615", "9223372036854775807", "99999999999999999999999"] {
                let server = try Server(.answer(429, "", ["Retry-After": seconds]))
                defer { server.close() }
                let client = try Client(username: username, password: password, baseURL: server.baseURL, maxRetries: 0)
                let error = try #require(await failure { try await client.ips.list() })
                #expect(error.kind == .rateLimited)
                if let wait = error.retryAfter { #expect(wait.components.seconds > 1_000_000_000) }
                #expect(!"\(error) \(String(describing: error.retryAfter))".isEmpty)
            }
        }

        @Test(arguments: [0, 2])
        func aTimeOutIsKept(_ retries: Int) async throws {
            let server = try Server(.hang)
            defer { server.close() }
            let client = try Client(
                username: username, password: password, baseURL: server.baseURL, timeout: .milliseconds(150), maxRetries: retries)
            let start = ContinuousClock.now
            let error = try #require(await failure { try await client.geo.open() })
            #expect(error.kind == .timeout)
            #expect(error.attempts == retries + 1)
            let took = ContinuousClock.now - start
            #expect(took >= .milliseconds(150) && took < .seconds(10))
        }
    }
}
