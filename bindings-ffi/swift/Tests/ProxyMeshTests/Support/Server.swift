import Foundation

/// A request as it arrived.
struct Request: Sendable {
    let method: String
    let path: String
    let query: String?
    let headers: [String: String]
    let form: String
}

/// What the server does with a request.
enum Reply: Sendable {
    case answer(Answer)
    /// Never responds.
    case hang
    /// Closes the connection without a response.
    case close
    /// Resets the connection.
    case reset

    static func answer(_ status: Int, _ body: String = "", _ headers: [String: String] = [:]) -> Reply {
        .answer(Answer(status: status, body: Array(body.utf8), headers: headers))
    }
}

struct Answer: Sendable {
    var status: Int
    var body: [UInt8] = []
    var headers: [String: String] = [:]
    /// Whether it announces more than twice the length, and then closes the connection.
    var truncate = false
    var chunked = false

    var bytes: [UInt8] {
        var head = "HTTP/1.1 \(status) Whatever\r\n"
        for (name, value) in headers {
            head += "\(name): \(value)\r\n"
        }
        if chunked {
            head += "transfer-encoding: chunked\r\n"
        } else if status != 204 {
            head += "content-length: \(truncate ? body.count * 2 + 1 : body.count)\r\n"
        }
        var bytes = Array((head + "\r\n").utf8)
        guard chunked else { return bytes + body }
        for start in stride(from: 0, to: body.count, by: 1000) {
            let chunk = body[start..<min(start + 1000, body.count)]
            bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }
}

/// A plain HTTP server on sockets. It records the requests and how many connections have been closed.
final class Server: Sendable {
    private struct State {
        var open: [Int32: Connection] = [:]
        var requests: [Request] = []
        var connections = 0
        var gone = 0
        var closed = false
    }

    private let listener: Listener
    private let state = Locked(State())
    private let script: @Sendable (Request) -> Reply

    init(_ script: @escaping @Sendable (Request) -> Reply) throws {
        self.script = script
        listener = try Listener()
        thread { [self] in
            while let connection = listener.accept() {
                let serves = state.with { state in
                    guard !state.closed else { return false }
                    state.connections += 1
                    state.open[connection.descriptor] = connection
                    return true
                }
                guard serves else {
                    connection.close()
                    break
                }
                thread { self.serve(connection) }
            }
            listener.close()
        }
    }

    convenience init(_ reply: Reply) throws {
        try self.init { _ in reply }
    }

    var baseURL: URL { URL(string: "http://127.0.0.1:\(listener.port)")! }
    var requests: [Request] { state.with { $0.requests } }
    var connections: Int { state.with { $0.connections } }
    /// How many connections are open.
    var open: Int { state.with { $0.open.count } }
    /// How many connections have been closed, most of them by the client.
    var gone: Int { state.with { $0.gone } }

    func close() {
        state.with { state in
            state.closed = true
            state.open.values.forEach { $0.end() }
        }
        // This wakes the thread that accepts connections.
        if let last = try? Connection(port: listener.port) { last.close() }
    }

    private func serve(_ connection: Connection) {
        var input = Input(connection)
        loop: while let request = input.request() {
            state.with { $0.requests.append(request) }
            switch script(request) {
            case .answer(let answer):
                if !connection.write(answer.bytes) || answer.truncate { break loop }
            case .hang:
                while !connection.read().isEmpty {}
            case .close:
                break loop
            case .reset:
                connection.resetOnClose()
                break loop
            }
        }
        // The lock is held, so that `close` never ends a descriptor that already belongs to something else.
        state.with { state in
            state.open[connection.descriptor] = nil
            connection.close()
            state.gone += 1
        }
    }
}

/// Starts a thread with a small stack.
func thread(_ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.stackSize = 512 * 1024
    thread.start()
}

/// Reads the lines and bodies that arrive on a connection.
private struct Input {
    private let connection: Connection
    private var buffer: [UInt8] = []

    init(_ connection: Connection) {
        self.connection = connection
    }

    mutating func request() -> Request? {
        guard let first = line() else { return nil }
        var headers: [String: String] = [:]
        while let line = line(), !line.isEmpty {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        guard let body = bytes(Int(headers["content-length"] ?? "0")!) else { return nil }
        let parts = first.split(separator: " ")
        let target = parts[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return Request(
            method: String(parts[0]), path: target[0], query: target.count > 1 ? target[1] : nil, headers: headers,
            form: String(decoding: body, as: UTF8.self))
    }

    private mutating func line() -> String? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[..<end]
                buffer = Array(buffer[(end + 1)...])
                return String(decoding: line, as: UTF8.self).trimmingCharacters(in: ["\r"])
            }
            guard more() else { return nil }
        }
    }

    private mutating func bytes(_ count: Int) -> [UInt8]? {
        while buffer.count < count {
            guard more() else { return nil }
        }
        defer { buffer = Array(buffer.dropFirst(count)) }
        return Array(buffer.prefix(count))
    }

    private mutating func more() -> Bool {
        let bytes = connection.read()
        buffer += bytes
        return !bytes.isEmpty
    }
}
