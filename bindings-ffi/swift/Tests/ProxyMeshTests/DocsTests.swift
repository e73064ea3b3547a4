#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    extension ProxyMeshTests {
        /// Checks the public interface as the compiler describes it.
        @Suite struct DocsTests {
            private func run(_ program: String, _ arguments: [String]) throws -> Data {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                process.arguments = [program] + arguments
                let output = Pipe()
                process.standardOutput = output
                try process.run()
                let data = output.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                try #require(process.terminationStatus == 0, "\(program)")
                return data
            }

            private func symbols() throws -> [JSON] {
                let target = try JSON.read(run("swiftc", ["-print-target-info"]))
                let triple = try #require(target["target"]?["triple"]?.text)
                let resources = try #require(target["paths"]?["runtimeResourcePath"]?.text)
                let products = URL(fileURLWithPath: try #require(CommandLine.arguments.first)).deletingLastPathComponent()
                let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(at: folder) }
                _ = try run(
                    "\(resources)/../../bin/swift-symbolgraph-extract",
                    [
                        "-module-name", "ProxyMesh", "-target", triple, "-output-dir", folder.path,
                        "-I", products.appendingPathComponent("Modules").path,
                        "-I", repository.appendingPathComponent("bindings-ffi/swift/Sources/ProxyMeshFFI").path,
                        "-minimum-access-level", "public", "-skip-synthesized-members",
                    ])
                let graph = try JSON.read(Data(contentsOf: folder.appendingPathComponent("ProxyMesh.symbols.json")))
                return try #require(graph["symbols"]?.list)
            }

            private func path(_ symbol: JSON) -> String {
                (symbol["pathComponents"]?.list ?? []).compactMap(\.text).joined(separator: ".")
            }

            private func doc(_ symbol: JSON) -> [String]? {
                symbol["docComment"]?["lines"]?.list?.compactMap { $0["text"]?.text }
            }

            @Test func everyPublicSymbolHasADocComment() throws {
                let symbols = try symbols()
                #expect(symbols.count > 150)
                for symbol in symbols where doc(symbol)?.isEmpty != false {
                    Issue.record("\(path(symbol)) has no doc comment")
                }
                print("\(symbols.count) public symbols, all with a doc comment")
            }

            /// The calls exist twice, once per client, and must be the same. Only an async body can be cancelled, so
            /// `withAuthorizedIP` differs.
            @Test func bothClientsHaveTheSameCallsWithTheSameDocs() throws {
                var docs: [String: [String: [String]]] = ["Client": [:], "BlockingClient": [:]]
                for symbol in try symbols() {
                    let parts = path(symbol).split(separator: ".", maxSplits: 1).map(String.init)
                    guard parts.count == 2, parts[1].contains("."), docs[parts[0]] != nil else { continue }
                    let parameters = (symbol["functionSignature"]?["parameters"]?.list ?? [])
                        .map { ($0["declarationFragments"]?.list ?? []).compactMap { $0["spelling"]?.text }.joined() }
                    if parts[1].hasPrefix("IPs.withAuthorizedIP(") { continue }
                    let lines = (doc(symbol) ?? []).map { $0.replacingOccurrences(of: "await ", with: "") }
                    docs[parts[0]]?["\(parts[1]) \(parameters)"] = lines
                }
                #expect(docs["Client"] == docs["BlockingClient"])
                #expect(docs["Client"]?.isEmpty == false)
            }
        }
    }
#endif
