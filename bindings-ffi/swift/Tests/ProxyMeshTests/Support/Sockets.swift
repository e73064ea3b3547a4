import Foundation

#if canImport(Glibc)
    import Glibc

    private let stream = Int32(SOCK_STREAM.rawValue)
    private let quiet = Int32(MSG_NOSIGNAL)
#else
    import Darwin

    private let stream = SOCK_STREAM
    private let quiet = Int32(0)
#endif

/// An error of a system call.
struct SocketError: Error {
    let call: String
    let code = errno
}

/// A TCP connection.
struct Connection: Sendable {
    let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
    }

    /// Connects to a port of this machine.
    init(port: UInt16) throws {
        let descriptor = socket(AF_INET, stream, 0)
        var address = loopback(port)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
        }
        guard connected == 0 else {
            closeDescriptor(descriptor)
            throw SocketError(call: "connect")
        }
        self.init(descriptor: descriptor)
    }

    /// Connects to a host by name, at the first of its addresses that accepts a connection.
    init(host: String, port: Int) throws {
        var wanted = addrinfo()
        wanted.ai_family = AF_UNSPEC
        wanted.ai_socktype = stream
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &wanted, &found) == 0 else { throw SocketError(call: "getaddrinfo") }
        defer { freeaddrinfo(found) }
        for address in sequence(first: found, next: { $0?.pointee.ai_next }).compactMap({ $0?.pointee }) {
            let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
            if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 {
                self.init(descriptor: descriptor)
                return
            }
            closeDescriptor(descriptor)
        }
        throw SocketError(call: "connect")
    }

    /// The next bytes. Empty at the end, or if the connection is broken.
    func read() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(count, 0)))
    }

    /// Everything until the other side closes the connection.
    func readToEnd() -> String {
        var bytes: [UInt8] = []
        while case let more = read(), !more.isEmpty {
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Sends the bytes. Returns whether all could be sent.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, quiet) }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    /// Wakes whoever waits for the connection to be readable.
    func end() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Makes `close` reset the connection instead of ending it in an orderly way.
    func resetOnClose() {
        set(descriptor, SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
    }

    func close() {
        closeDescriptor(descriptor)
    }
}

/// The addresses of this machine.
enum Loopback: String, Sendable {
    case v4 = "127.0.0.1"
    case v6 = "::1"

    /// Lets a socket listen on a port at this address.
    fileprivate func bound(_ descriptor: Int32, _ port: UInt16) -> Bool {
        switch self {
        case .v4:
            return bindAndListen(descriptor, loopback(port))
        case .v6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            return bindAndListen(descriptor, address)
        }
    }

    fileprivate var family: Int32 { self == .v4 ? AF_INET : AF_INET6 }
}

/// Listens on a port of this machine that no other server of this process has used. On a reused port, the auth gate would remember
/// the failed authentications of the earlier server.
struct Listener: Sendable {
    // These are below the ports that the system chooses.
    private static let next = Locked(UInt16.random(in: 20_000..<30_000))

    private let descriptor: Int32
    let port: UInt16

    init() throws {
        while true {
            let port = Self.next.with { next in
                next += 1
                return next
            }
            do {
                self = try Listener(on: .v4, port: port)
                return
            } catch let error as SocketError where error.code == EADDRINUSE {
                // Another process uses this port.
            }
        }
    }

    /// Listens on this port.
    init(on address: Loopback, port: UInt16) throws {
        let descriptor = socket(address.family, stream, 0)
        set(descriptor, SOL_SOCKET, SO_REUSEADDR, Int32(1))
        guard address.bound(descriptor, port) else {
            let error = SocketError(call: "listen")
            closeDescriptor(descriptor)
            throw error
        }
        (self.descriptor, self.port) = (descriptor, port)
    }

    /// A port for another process to listen on.
    static func freePort() throws -> UInt16 {
        let listener = try Listener()
        listener.close()
        return listener.port
    }

    func accept() -> Connection? {
        let connection = acceptOn(descriptor)
        return connection < 0 ? nil : Connection(descriptor: connection)
    }

    /// Wakes whoever waits for a connection.
    func end() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    func close() {
        closeDescriptor(descriptor)
    }
}

private let length = socklen_t(MemoryLayout<sockaddr_in>.size)

// Other names for the system calls, because methods above have the same names.

private func closeDescriptor(_ descriptor: Int32) {
    _ = close(descriptor)
}

private func acceptOn(_ descriptor: Int32) -> Int32 {
    accept(descriptor, nil, nil)
}

private func bindAndListen<Address>(_ descriptor: Int32, _ address: Address) -> Bool {
    withUnsafeBytes(of: address) { bytes in
        bind(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!, socklen_t(bytes.count)) == 0
            && listen(descriptor, 1024) == 0
    }
}

private func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return address
}

private func set<Value>(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Value) {
    withUnsafePointer(to: value) {
        _ = setsockopt(descriptor, level, option, $0, socklen_t(MemoryLayout<Value>.size))
    }
}
