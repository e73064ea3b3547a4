import Foundation
import ProxyMesh
import ProxyMeshTesting
import TestSupport
import Testing

extension ProxyMeshTests {
    /// A wrong password costs the account one failed authentication, however many callers try it. Revoked credentials cost only the
    /// requests that are in flight.
    @Suite struct GateTests {
        private func check(_ sandbox: Sandbox, _ errors: [ProxyMeshError?]) throws {
            #expect(errors.count == 256)
            #expect(errors.allSatisfy { $0?.kind == .authentication })
            let attempts = Dictionary(grouping: errors, by: { $0?.attempts }).mapValues(\.count)
            #expect(attempts == [1: 1, 0: 255], "one was sent, and all got its response")
            #expect(try sandbox.requests().map(\.status) == [401])
        }

        @Test(arguments: Way.allCases) func aWrongPassword(_ way: Way) async throws {
            let sandbox = try newSandbox()
            let account = try way.open(sandbox.baseURL, Options(password: "wrong-password"))
            try check(sandbox, await failures(of: account))
            print("256 callers (\(way)) with a wrong password: \(try sandbox.requests().count) request, answered 401")
        }

        @Test func tasksWithAClientEach() async throws {
            let sandbox = try newSandbox()
            let baseURL = sandbox.baseURL
            let errors = await withTaskGroup(of: ProxyMeshError?.self) { group in
                for _ in 0..<256 {
                    group.addTask {
                        await failure {
                            try await Client(username: username, password: "wrong-password", baseURL: baseURL).ips.list()
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            try check(sandbox, errors)
        }

        /// Each of 256 callers makes calls until one fails. Meanwhile, the service revokes the credentials.
        @Test(arguments: Way.allCases) func credentialsThatAreRevokedUnderLoad(_ way: Way) async throws {
            let service = Locked((revoked: false, accepted: 0, refused: 0))
            let server = try Server { _ in
                usleep(10_000)
                return service.with { service in
                    guard service.revoked else {
                        service.accepted += 1
                        return .answer(200, #"{"ips": []}"#)
                    }
                    service.refused += 1
                    return .answer(401, #"{"error": "Invalid username/password."}"#)
                }
            }
            defer { server.close() }
            var options = Options()
            options.maxConnections = 100
            let account = try way.open(server.baseURL, options)
            let calls = Task { try await failures(of: account, again: true) }
            // After this many responses, the client has as many requests in flight as it may have.
            try await until("the service is under load") { service.with { $0.accepted } >= 1000 }
            let open = service.with { service in
                service.revoked = true
                return server.open
            }
            let errors = try await calls.value
            let kinds = Dictionary(grouping: errors, by: { $0?.kind }).mapValues(\.count)
            #expect(kinds[.authentication, default: 0] + kinds[.authenticationBlocked, default: 0] == 256, "\(kinds)")
            // At most one request per connection was in flight. No more are sent.
            let refused = service.with { $0.refused }
            #expect(1...min(open, 100) ~= refused)
            print("256 callers (\(way)) whose credentials are revoked: \(refused) answers of 401, over \(open) connections")

            // The same credentials may cost at most two failures in five minutes.
            let later = try await failures(of: account, callers: 16)
            #expect(later.allSatisfy { $0?.kind == .authenticationBlocked || $0?.attempts == 0 })
            #expect(service.with { $0.refused } == refused)
        }
    }
}
