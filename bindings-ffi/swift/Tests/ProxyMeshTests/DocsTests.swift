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

            /// Describes a module in a new folder.
            private func describe<Given>(
                _ module: String, _ body: (_ folder: URL, _ tools: String) throws -> Given
            ) throws -> Given {
                let target = try JSON.read(run("swiftc", ["-print-target-info"]))
                let triple = try #require(target["target"]?["triple"]?.text)
                let tools = try #require(target["paths"]?["runtimeResourcePath"]?.text) + "/../../bin"
                let products = URL(fileURLWithPath: try #require(CommandLine.arguments.first)).deletingLastPathComponent()
                let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(at: folder) }
                _ = try run(
                    "\(tools)/swift-symbolgraph-extract",
                    [
                        "-module-name", module, "-target", triple, "-output-dir", folder.path,
                        "-I", products.appendingPathComponent("Modules").path,
                        "-I", repository.appendingPathComponent("bindings-ffi/swift/Sources/ProxyMeshFFI").path,
                        "-minimum-access-level", "public", "-skip-synthesized-members",
                    ])
                return try body(folder, tools)
            }

            private func symbols(_ module: String = "ProxyMesh") throws -> [JSON] {
                try describe(module) { folder, _ in
                    let graph = try JSON.read(Data(contentsOf: folder.appendingPathComponent("\(module).symbols.json")))
                    return try #require(graph["symbols"]?.list)
                }
            }

            private func path(_ symbol: JSON) -> String {
                (symbol["pathComponents"]?.list ?? []).compactMap(\.text).joined(separator: ".")
            }

            private func doc(_ symbol: JSON) -> [String]? {
                symbol["docComment"]?["lines"]?.list?.compactMap { $0["text"]?.text }
            }

            @Test(arguments: [("ProxyMesh", 150), ("ProxyMeshTesting", 50)])
            func everyPublicSymbolHasADocComment(_ module: String, _ least: Int) throws {
                let symbols = try symbols(module)
                #expect(symbols.count > least)
                for symbol in symbols where doc(symbol)?.isEmpty != false {
                    Issue.record("\(path(symbol)) has no doc comment")
                }
                print("\(symbols.count) public symbols of \(module), all with a doc comment")
            }

            @Test(arguments: ["ProxyMesh", "ProxyMeshTesting"])
            func theFirstPageOfTheDocumentationNamesEveryType(_ module: String) throws {
                let page = "bindings-ffi/swift/Sources/\(module)/\(module).docc/\(module).md"
                let text = try String(contentsOf: repository.appendingPathComponent(page), encoding: .utf8)
                let types = try symbols(module).map(path).filter { !$0.contains(".") }
                #expect(!types.isEmpty)
                for type in types { #expect(text.contains("- ``\(type)``"), "\(type)") }
            }

            @Test(arguments: ["ProxyMesh", "ProxyMeshTesting"]) func everyLinkInTheDocumentationIsValid(_ module: String) throws {
                try describe(module) { folder, tools in
                    let catalog = "bindings-ffi/swift/Sources/\(module)/\(module).docc"
                    _ = try run(
                        "\(tools)/docc",
                        [
                            "convert", repository.appendingPathComponent(catalog).path, "--warnings-as-errors",
                            "--additional-symbol-graph-dir", folder.path,
                            "--output-path", folder.appendingPathComponent("out").path,
                            "--fallback-display-name", module, "--fallback-bundle-identifier", "com.proxymesh.\(module)",
                        ])
                }
            }

            /// `make demo-swift` runs the files that the blocks come from.
            @Test func theGuideShowsCodeThatIsTested() throws {
                func read(_ path: String) throws -> String {
                    try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
                }
                func stripped(_ code: some StringProtocol) -> String {
                    code.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
                        .joined(separator: "\n")
                }
                let files = [
                    "Package.swift", "Sources/CCurl/module.modulemap", "Sources/CCurl/curl.h", "Sources/Scraper/Fetch.swift",
                    "Sources/Scraper/Scraper.swift",
                ]
                let code = try files.map { stripped(try read("examples/swift/\($0)")) }
                let blocks = try read("docs/swift.md").components(separatedBy: "\n```").enumerated()
                    .filter { $0.offset % 2 == 1 }.map { stripped($0.element.drop { $0 != "\n" }) }
                #expect(blocks.count >= files.count)
                for block in blocks { #expect(code.contains { $0.contains(block) }, "\(block)") }
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
