import Foundation
import ProxyMesh
import TestSupport
import Testing

extension ProxyMeshTests {
    /// Errors as Swift catches them. The conformance cases cover the fields and texts of every kind.
    @Suite struct ErrorsTests {
        /// Compares the properties that every error has with the fields of its kind.
        @Test func theCommonPropertiesOfAnErrorMatchItsFields() async throws {
            let refused = try Server(.answer(429, "", ["Retry-After": "61"]))
            let unreadable = try Server(.answer(200, "<html>"))
            let silent = try Server(.close)
            defer { [refused, unreadable, silent].forEach { $0.close() } }
            func client(_ server: Server) throws -> Client {
                try Client(username: username, password: password, baseURL: server.baseURL, maxRetries: 0)
            }
            let errors = [
                await failure { try await client(refused).geo.open() },
                await failure { try await client(unreadable).geo.open() },
                await failure { try await client(silent).geo.open() },
                await failure { try await client(silent).subAccounts.create("x") },
                await failure { try await client(silent).ips.add("nowhere") },
                await failure { try await Client(token: token, baseURL: silent.baseURL).tokens.list() },
                await failure { try Client(username: username, password: password, timeout: .seconds(-1)) },
            ]
            for case let error? in errors {
                let (text, fields) = ("\(error)", error.fields)
                #expect(error.localizedDescription == text)
                #expect((error as any Error).localizedDescription == text, "as code that catches any Error sees it")
                #expect(error.errorDescription == text)
                #expect(String(reflecting: error) == text)

                #expect(JSON(error.call) == fields["call"])
                #expect(JSON(error.reason) == fields["reason"] ?? .null)
                #expect(JSON(error.body) == fields["body"] ?? .null)
                #expect(error.status.map(Int64.init) == fields["status"]?.whole)
                #expect(error.attempts.map(Int64.init) == fields["attempts"]?.whole)
                #expect(error.retryAfter.map { $0 / .seconds(1) } == fields["retry_after"]?.number)
                #expect((error.refusal != nil) == (fields["field_errors"] != nil))
            }
            #expect(
                errors.map { $0?.kind } == [
                    .rateLimited, .decode, .connection, .outcomeUnknown, .validation, .basicAuthRequired, .config,
                ])
        }

        @Test func anErrorCanBeCaughtByItsKindWithItsFields() async throws {
            let server = try Server(.answer(429, "", ["Retry-After": "61"]))
            defer { server.close() }
            let client = try Client(username: username, password: password, baseURL: server.baseURL)
            do {
                _ = try await client.ips.list()
                Issue.record("it was not refused")
            } catch ProxyMeshError.rateLimited(let refusal) {
                #expect(refusal.retryAfter == .seconds(61))
            }
        }

        @Test func anyRetryAfterFitsADuration() async throws {
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
        func theTimeLimitIsRespected(_ retries: Int) async throws {
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
