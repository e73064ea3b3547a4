import Foundation
import TestSupport
import Testing

/// The emulated service in a separate process.
final class Sandbox: Sendable {
    private let process: Locked<Process>
    let baseURL: URL

    /// Starts the program at `PROXYMESH_TEST_SANDBOX`, or the one that cargo has built.
    init(_ flags: String...) throws {
        let given = ProcessInfo.processInfo.environment["PROXYMESH_TEST_SANDBOX"]
        let process = Process()
        process.executableURL =
            given.map(URL.init(fileURLWithPath:)) ?? repository.appendingPathComponent("target/debug/proxymesh-sandbox")
        process.arguments = ["--port", "\(try Listener.freePort())", "--username", username] + flags
        process.environment = ["PROXYMESH_SANDBOX_PASSWORD": password]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        var said = ""
        while !said.contains("\n") {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "the sandbox ended")
            said += String(decoding: more, as: UTF8.self)
        }
        self.process = Locked(process)
        baseURL = try #require(
            URL(string: said.trimmingCharacters(in: .newlines).replacingOccurrences(of: "listening on ", with: "")))
    }

    deinit {
        end()
    }

    /// Ends the service at once.
    func end() {
        process.with {
            // `terminate` would not work: the threads of Swift's pool block signals, and the process inherits that.
            kill($0.processIdentifier, SIGKILL)
            $0.waitUntilExit()
        }
    }

    /// The API calls that arrived.
    func requests() throws -> [JSON] {
        let found = try control("requests")
        return try #require(found.list ?? found["requests"]?.list)
    }

    /// Makes the next matching calls fail.
    func fault(_ json: String) throws {
        try control("faults", json)
    }

    @discardableResult
    func control(_ name: String, _ json: String? = nil) throws -> JSON {
        let connection = try Connection(port: UInt16(try #require(baseURL.port)))
        defer { connection.close() }
        let body = json ?? ""
        connection.write(
            Array(
                """
                \(json == nil ? "GET" : "POST") /_sandbox/\(name) HTTP/1.1\r
                Host: 127.0.0.1\r
                Connection: close\r
                Content-Length: \(body.utf8.count)\r
                \r
                \(body)
                """.utf8))
        let text = connection.readToEnd()
        try #require(text.hasPrefix("HTTP/1.1 200"), "\(text)")
        let start = try #require(text.range(of: "\r\n\r\n")).upperBound
        return try JSON.read(Data(text[start...].utf8))
    }
}
