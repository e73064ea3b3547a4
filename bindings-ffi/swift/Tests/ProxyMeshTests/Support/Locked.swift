import Foundation

/// A value that one thread at a time may see. (`Mutex` is newer than the platforms that the package is for.)
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) {
        self.value = value
    }

    func with<Given>(_ body: (inout Value) throws -> Given) rethrows -> Given {
        try lock.withLock { try body(&value) }
    }
}
