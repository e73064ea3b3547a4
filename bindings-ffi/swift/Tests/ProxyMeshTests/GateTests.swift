import Foundation
import ProxyMesh
import Testing

extension ProxyMeshTests {
    /// A wrong password costs the account one failed authentication, however many try it.
    @Suite struct GateTests {
        private func check(_ sandbox: Sandbox, _ errors: [ProxyMeshError?]) throws {
            #expect(errors.count == 256)
            #expect(errors.allSatisfy { $0?.kind == .authentication })
            let attempts = Dictionary(grouping: errors, by: { $0?.attempts }).mapValues(\.count)
            #expect(attempts == [1: 1, 0: 255], "one was sent, and answered all")
            #expect(try sandbox.requests().map { $0["status"]?.whole } == [401])
        }

        private func errors(_ call: @escaping @Sendable () async throws -> [String]) async -> [ProxyMeshError?] {
            await withTaskGroup(of: ProxyMeshError?.self) { group in
                for _ in 0..<256 {
                    group.addTask { await failure(call) }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }

        @Test func tasksWithAWrongPassword() async throws {
            let sandbox = try Sandbox()
            let client = try Client(username: username, password: "wrong-password", baseURL: sandbox.baseURL)
            try check(sandbox, await errors { try await client.ips.list() })
            print("256 tasks with a wrong password: \(try sandbox.requests().count) request, answered 401")
        }

        @Test func tasksWithAClientEach() async throws {
            let sandbox = try Sandbox()
            let baseURL = sandbox.baseURL
            try check(
                sandbox,
                await errors {
                    try await Client(username: username, password: "wrong-password", baseURL: baseURL).ips.list()
                })
        }

        @Test func threads() async throws {
            let sandbox = try Sandbox()
            let client = try BlockingClient(username: username, password: "wrong-password", baseURL: sandbox.baseURL)
            let errors = Locked<[ProxyMeshError?]>([])
            for _ in 0..<256 {
                let one = Thread {
                    let error = failureNow { try client.ips.list() }
                    errors.with { $0.append(error) }
                }
                one.stackSize = 2 * 1024 * 1024
                one.start()
            }
            try await until("all have failed") { errors.with { $0.count } == 256 }
            try check(sandbox, errors.with { $0 })
        }
    }
}
