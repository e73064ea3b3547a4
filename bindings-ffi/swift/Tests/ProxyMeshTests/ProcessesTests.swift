import Foundation
import ProxyMesh
import ProxyMeshTesting
import TestSupport
import Testing

extension ProxyMeshTests {
    /// The processes of one user on one machine share leases, and what they know about credentials.
    @Suite struct ProcessesTests {
        private let ip = "203.0.113.7"
        private let sandbox: Sandbox
        private let client: Client
        private let folder: StateFolder

        init() throws {
            folder = try StateFolder()
            sandbox = try newSandbox()
            client = try Client(username: username, password: password, baseURL: sandbox.baseURL)
        }

        /// A running `OtherProcess`.
        private final class Other {
            private let process = Process()
            private let input = Pipe()
            private let output = Pipe()

            init(_ baseURL: URL, _ arguments: String...) throws {
                let products = URL(fileURLWithPath: try #require(CommandLine.arguments.first)).deletingLastPathComponent()
                process.executableURL = products.appendingPathComponent("OtherProcess")
                process.arguments = [baseURL.absoluteString] + arguments
                process.standardInput = input
                process.standardOutput = output
                try process.run()
            }

            /// Waits until it holds the lease.
            func waitUntilItHolds() throws {
                try #require(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "holding\n")
            }

            func kill() {
                Foundation.kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }

            /// Ends its input, and returns what it prints from now on.
            func end() throws -> String {
                try input.fileHandleForWriting.close()
                let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                return printed.trimmingCharacters(in: .newlines)
            }
        }

        private func holders(_ count: Int) throws -> [Other] {
            let others = try (0..<count).map { _ in try Other(sandbox.baseURL, "hold", ip) }
            for other in others { try other.waitUntilItHolds() }
            return others
        }

        @Test func theNextLeaseTakesOverWhatAKilledProcessLeft() async throws {
            try holders(1)[0].kill()
            #expect(try await client.ips.labels() == [LabeledIP(ip: ip, label: "crawl")])
            try await client.ips.withAuthorizedIP(ip) { _ in }
            #expect(try await client.ips.list() == [])
        }

        @Test func theLastOfSeveralProcessesRemovesTheIP() async throws {
            for other in try holders(3) {
                #expect(try await client.ips.list() == [ip])
                #expect(try other.end() == "fine")
            }
            #expect(try await client.ips.list() == [])
            let other = try holders(1)[0]
            let printed = try await client.ips.withAuthorizedIP(ip) { _ in try other.end() }
            #expect(printed == "fine")
            #expect(try await client.ips.list() == [])
        }

        @Test func sixteenProcessesWithAWrongPasswordCauseAtMostTwoRefusals() async throws {
            func run(_ password: String) throws -> [String] {
                let others = try (0..<16).map { try Other(sandbox.baseURL, "list", $0 % 2 == 0 ? "async" : "blocking", password) }
                return try others.map { try $0.end() }
            }
            let errors = try run("wrong-password")
            #expect(errors.allSatisfy { $0 == "Authentication" || $0 == "AuthenticationBlocked" }, "\(errors)")
            let refused = try sandbox.requests().filter { $0.status == 401 }.count
            #expect((1...2).contains(refused))
            print("16 processes with a wrong password: \(refused) refusals")
            #expect(try run(password) == Array(repeating: "fine", count: 16))
        }
    }
}
