import Foundation
import ProxyMeshFFI

/// The log of a program.
package struct LogSink: Sendable {
    let isDebugEnabled: @Sendable () -> Bool
    let isWarningEnabled: @Sendable () -> Bool
    let write: @Sendable (LogRecord) -> Void

    package init(
        isDebugEnabled: @escaping @Sendable () -> Bool, isWarningEnabled: @escaping @Sendable () -> Bool,
        write: @escaping @Sendable (LogRecord) -> Void
    ) {
        self.isDebugEnabled = isDebugEnabled
        self.isWarningEnabled = isWarningEnabled
        self.write = write
    }
}

/// The records of one call, on their way from the library to the program's log. The library may pass them on a thread that must not
/// wait, so they are only kept at first.
final class Log: @unchecked Sendable {
    private let sink: LogSink
    /// Protects `kept`, `isDue` and `tell`.
    private let lock = NSLock()
    private var kept: [LogRecord] = []
    /// Whether a thread will soon write what is kept. A sink that blocks holds up one more thread at most.
    private var isDue = false
    private var tell: @Sendable () -> Void
    private let writing = NSLock()

    /// - Parameter tell: It is called when there is something to write. It must return soon.
    init(_ sink: LogSink, tell: @escaping @Sendable () -> Void) {
        self.sink = sink
        self.tell = tell
    }

    private func keep(_ bytes: Answer) {
        defer { proxymesh_free(bytes.parts) }
        var reader = Reader(UnsafeRawBufferPointer(start: bytes.parts.bytes, count: bytes.parts.length))
        guard let record = try? reader.logRecord() else { return }
        let tell = lock.withLock {
            kept.append(record)
            return self.tell
        }
        tell()
    }

    /// Writes what was kept. When this returns, it is written, even if another thread had begun to do it.
    func write() {
        writing.withLock {
            while let record = lock.withLock({ kept.isEmpty ? nil : kept.removeFirst() }) { sink.write(record) }
        }
    }

    /// Writes what is left at the end of the call. What is kept after that, for example by a follower, is written in the background.
    func end() {
        lock.withLock { tell = { self.writeInBackground() } }
        write()
    }

    private func writeInBackground() {
        let wasDue = lock.withLock {
            defer { isDue = true }
            return isDue
        }
        if wasDue { return }
        DispatchQueue.global().async {
            self.lock.withLock { self.isDue = false }
            self.write()
        }
    }

    /// This log as the library takes it. The library keeps it until there are no more records.
    private var given: proxymesh_log {
        proxymesh_log(
            context: Unmanaged.passRetained(self).toOpaque(),
            keep: { context, record in
                Unmanaged<Log>.fromOpaque(context).takeUnretainedValue().keep(Answer(parts: record))
            },
            write: { context in Unmanaged<Log>.fromOpaque(context).takeUnretainedValue().write() },
            release: { context in Unmanaged<Log>.fromOpaque(context).release() })
    }

    /// Gives a log to the library, if there is one.
    static func giving<Result>(_ log: Log?, _ call: (UnsafePointer<proxymesh_log>?) -> Result) -> Result {
        guard let log else { return call(nil) }
        return withUnsafePointer(to: log.given, call)
    }
}
