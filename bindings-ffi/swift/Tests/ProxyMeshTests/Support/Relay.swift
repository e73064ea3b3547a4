import Foundation

/// A way to a server on this machine, over IPv4 or IPv6. The client's own address is the one of that protocol. So a change of the way
/// changes this machine's address, as the client sees it.
final class Relay: Sendable {
    private struct State {
        var listener: Listener?
        var connections: [Connection] = []
    }

    private let state = Locked(State())
    private let server: UInt16
    private let port: UInt16

    /// Whether this machine has both protocols.
    static let isPossible = [Loopback.v4, .v6].allSatisfy { address in
        guard let listener = try? Listener(on: address, port: 0) else { return false }
        listener.close()
        return true
    }

    init(to server: UInt16) throws {
        self.server = server
        port = try Listener.freePort()
    }

    /// The name has both addresses.
    var baseURL: URL { URL(string: "http://localhost:\(port)")! }

    /// Leaves only this way open.
    func open(_ address: Loopback) throws {
        close()
        let listener = try Listener(on: address, port: port)
        state.with { $0.listener = listener }
        thread { [self] in
            while let client = listener.accept() {
                guard let other = try? Connection(port: server) else { return client.close() }
                state.with { $0.connections += [client, other] }
                forward(client, other)
                forward(other, client)
            }
            listener.close()
        }
    }

    private func forward(_ from: Connection, _ to: Connection) {
        thread {
            while case let bytes = from.read(), !bytes.isEmpty, to.write(bytes) {}
            // The descriptors stay, because the other thread may still use them.
            from.end()
            to.end()
        }
    }

    /// Leaves no way open.
    func close() {
        state.with { state in
            state.listener?.end()
            state.connections.forEach { $0.end() }
            state = State()
        }
    }
}
