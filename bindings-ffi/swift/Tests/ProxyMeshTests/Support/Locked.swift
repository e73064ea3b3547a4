import Foundation

/// A value that only one thread at a time can access. (`Mutex` needs newer platforms than the package.)
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
