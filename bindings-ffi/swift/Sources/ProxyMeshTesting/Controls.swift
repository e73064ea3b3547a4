#if os(macOS) || os(Linux)
    import Foundation

    #if canImport(Glibc)
        import Glibc

        private let stream = Int32(SOCK_STREAM.rawValue)
        private let quiet = Int32(MSG_NOSIGNAL)
    #elseif canImport(Musl)
        import Musl

        private let stream = SOCK_STREAM
        private let quiet = MSG_NOSIGNAL
    #else
        import Darwin

        private let stream = SOCK_STREAM
        private let quiet = Int32(0)
    #endif

    /// The controls of a sandbox, under `/_sandbox/`. `URLSession` would send these requests through the proxy in the environment.
    struct Controls: Sendable {
        let port: UInt16

        func get<Answer: Decodable>(_ name: String) throws(SandboxError) -> Answer {
            let body = try send("GET", name)
            do {
                let decoder = JSONDecoder()
                decoder.dateDecodingStrategy = .iso8601
                return try decoder.decode(Answer.self, from: body)
            } catch {
                throw SandboxError("the sandbox's \(name) cannot be read: \(error)")
            }
        }

        func delete(_ name: String) throws(SandboxError) {
            _ = try send("DELETE", name)
        }

        func post(_ name: String) throws(SandboxError) {
            _ = try send("POST", name)
        }

        func post(_ name: String, _ value: some Encodable) throws(SandboxError) {
            let body: Data
            do { body = try JSONEncoder().encode(value) } catch { throw SandboxError("\(name): \(error)") }
            _ = try send("POST", name, body)
        }

        private func send(_ method: String, _ name: String, _ body: Data = Data()) throws(SandboxError) -> Data {
            let head = """
                \(method) /_sandbox/\(name) HTTP/1.1\r
                Host: 127.0.0.1:\(port)\r
                Connection: close\r
                Content-Length: \(body.count)\r
                \r\n
                """
            let answer = try exchange(Data(head.utf8) + body)
            guard let end = answer.range(of: Data("\r\n\r\n".utf8)), answer.starts(with: Data("HTTP/1.1 ".utf8)) else {
                throw SandboxError("the sandbox did not respond")
            }
            let content = answer[end.upperBound...]
            guard answer.starts(with: Data("HTTP/1.1 200 ".utf8)) else {
                let refusal = try? JSONDecoder().decode([String: String].self, from: content)
                throw SandboxError(refusal?["error"] ?? String(decoding: content, as: UTF8.self))
            }
            return content
        }

        /// Sends the bytes, and returns what arrives until the sandbox closes the connection.
        private func exchange(_ bytes: Data) throws(SandboxError) -> Data {
            let connection = socket(AF_INET, stream, 0)
            guard connection >= 0 else { throw SandboxError("could not create a socket: \(String(cString: strerror(errno)))") }
            defer { close(connection) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard connected == 0 else {
                throw SandboxError("the sandbox cannot be reached, or is stopped: \(String(cString: strerror(errno)))")
            }
            #if canImport(Darwin)
                var one: Int32 = 1
                setsockopt(connection, SOL_SOCKET, SO_NOSIGPIPE, &one, socklen_t(MemoryLayout<Int32>.size))
            #endif
            var rest = bytes
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes { Foundation.send(connection, $0.baseAddress, $0.count, quiet) }
                guard sent > 0 else { throw SandboxError("the sandbox has closed the connection") }
                rest = rest.dropFirst(sent)
            }
            var answer = Data()
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            while case let count = recv(connection, &buffer, buffer.count, 0), count > 0 {
                answer += buffer.prefix(count)
            }
            return answer
        }
    }
#endif
