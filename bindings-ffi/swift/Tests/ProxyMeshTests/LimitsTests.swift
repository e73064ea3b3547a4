#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    extension ProxyMeshTests {
        /// What calls do when the process has no descriptors, threads or memory left, and what clients hold before their first
        /// call. Each limit is tested in its own process.
        @Suite struct LimitsTests {
            private let server: Server

            init() throws {
                server = try Server(.answer(200, #"{"US": 1}"#))
            }

            /// Runs `Limited`, which must succeed, and returns its output.
            private func run(_ arguments: String...) throws -> String {
                let process = Process()
                let products = URL(fileURLWithPath: try #require(CommandLine.arguments.first)).deletingLastPathComponent()
                process.executableURL = products.appendingPathComponent("Limited")
                // The URL contains a host name, because resolving one takes a descriptor, too.
                process.arguments = ["http://localhost:\(try #require(server.baseURL.port))"] + arguments
                let output = Pipe()
                process.standardOutput = output
                try process.run()
                let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                let status = process.terminationStatus
                try #require(process.terminationReason == .exit && status == 0, "\(arguments): \(status), \(printed)")
                return printed.trimmingCharacters(in: .newlines)
            }

            @Test(arguments: Way.allCases) func withoutDescriptorsACallFailsAndWorksLater(_ way: Way) throws {
                defer { server.close() }
                let results = try (3...40).map { try run("\(way)", "descriptors", "\($0)") }
                let none = "Connection: geo.open: connection failed: the process has no file descriptors left (EMFILE)"
                #expect(results.first == none)
                #expect(results.last == "fine")
                for result in Set(results) {
                    #expect(result == "fine" || result.hasPrefix("Connection: ") && result.contains("(EMFILE)"))
                }
                let failed = results.filter { $0 != "fine" }.count
                print("3 to 40 descriptors (\(way)): \(failed) calls failed, \(results.count - failed) did not, all worked later")
            }

            @Test(arguments: Way.allCases) func withoutAThreadACallFailsAndWorksLater(_ way: Way) throws {
                defer { server.close() }
                for lack in [("threads", "1"), ("memory", "\(1 << 20)")] {
                    let result = try run("\(way)", lack.0, lack.1)
                    #expect(result.hasPrefix("Connection: geo.open: ") && result.contains("could not start a thread"), "\(lack)")
                }
            }

            @Test func aThousandUnusedClientsOfEachKindHoldNoDescriptorAndNoThread() throws {
                defer { server.close() }
                #expect(try run("unused") == "2000 clients: 0 descriptors, 0 threads")
            }
        }
    }
#endif
