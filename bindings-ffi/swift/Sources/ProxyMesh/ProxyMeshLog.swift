internal import ProxyMeshInternal

#if canImport(os)
    internal import os
#endif

/// Where a client writes its log: one record for each attempt at a call, and warnings.
///
/// On Apple platforms, a client writes to the unified log by default. Elsewhere it writes nothing. To write somewhere else, pass a
/// closure. These lines pass the records to swift-log:
///
/// ```swift
/// let client = try Client(
///     log: ProxyMeshLog { record in
///         logger.log(
///             level: Logger.Level(rawValue: record.level.rawValue)!, "\(record.message)",
///             metadata: record.metadata.mapValues { .string($0) })
///     })
/// ```
///
/// Attempts have the level `debug`. There is a `warning` if a pool could not refresh its list of proxies, or if an IP could not be
/// removed or followed. There is an `info` record if this machine's address has changed. A record never contains a query, a form or
/// credentials.
///
/// A record is written while its call is in progress. The thread that makes a blocking call writes its records, at most 40 ms after the
/// attempt. A child task writes the records of an async call, so the closure sees the task-local values of the caller. It runs as part of
/// the call: if it blocks, it delays that call, but no other. What a follower does between calls is written on a global dispatch
/// queue.
///
/// If the level is higher than `debug`, attempts cost nothing.
public struct ProxyMeshLog: Sendable {
    let sink: LogSink?

    /// Passes the records to a closure.
    ///
    /// - Parameters:
    ///   - level: The lowest level of the records that are written.
    ///   - write: Writes a record.
    public init(level: Level = .debug, write: @escaping @Sendable (Record) -> Void) {
        self.init(isEnabled: { $0 >= level }, write: write)
    }

    private init(isEnabled: @escaping @Sendable (Level) -> Bool, write: @escaping @Sendable (Record) -> Void) {
        sink = LogSink(
            isDebugEnabled: { isEnabled(.debug) }, isWarningEnabled: { isEnabled(.warning) },
            write: { record in
                let record = Record(record)
                if isEnabled(record.level) { write(record) }
            })
    }

    private init() {
        sink = nil
    }

    /// Writes nothing.
    public static let off = ProxyMeshLog()

    #if canImport(os)
        /// The unified log of Apple platforms, with the subsystem `com.proxymesh` and the category `api`. Console and `log stream` show
        /// debug messages only on request.
        public static let system: ProxyMeshLog = {
            let log = OSLog(subsystem: "com.proxymesh", category: "api")
            let logger = os.Logger(log)
            return ProxyMeshLog(
                isEnabled: { log.isEnabled(type: $0.type) },
                write: { logger.log(level: $0.level.type, "\($0.message, privacy: .public)") })
        }()
    #else
        /// On Apple platforms, the unified log. On this platform, the same as ``off``.
        public static let system = ProxyMeshLog()
    #endif

    /// How important a record is. The raw values are those of swift-log.
    public enum Level: String, Sendable, Hashable, Comparable, CaseIterable {
        /// An attempt.
        case debug
        /// Something that you may want to know, such as a new address of this machine.
        case info
        /// Something that you should know, such as a list of proxies that could not be refreshed.
        case warning

        /// Whether the first level is less important.
        public static func < (first: Level, second: Level) -> Bool {
            first.rank < second.rank
        }

        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            }
        }

        #if canImport(os)
            fileprivate var type: OSLogType {
                switch self {
                case .debug: .debug
                case .info: .info
                case .warning: .default
                }
            }
        #endif
    }

    /// One record of the log.
    public struct Record: Sendable, Hashable {
        /// How important it is.
        public let level: Level
        /// What happened, in one line, such as `geo.open: GET /api/geoips/open/: 200 after 1.3 ms (attempt 1)`.
        public let message: String
        /// The attempt that the record is about; `nil` if it is about something else.
        public let attempt: Attempt?

        init(_ record: LogRecord) {
            level = Level(rawValue: record.level) ?? .warning
            message = record.message
            attempt = record.attempt.map(Attempt.init)
        }

        /// The properties of the attempt as text, with the names `call`, `method`, `path`, `attempt`, `status` or `failure`, `elapsed`,
        /// and `retry_in`. Times are in seconds. Empty if there is no attempt.
        public var metadata: [String: String] {
            guard let attempt else { return [:] }
            var metadata = [
                "call": attempt.call, "method": attempt.method, "path": attempt.path, "attempt": "\(attempt.number)",
                "elapsed": "\(attempt.elapsed.inSeconds)",
            ]
            metadata["status"] = attempt.status.map { "\($0)" }
            metadata["failure"] = attempt.failure
            metadata["retry_in"] = attempt.retryIn.map { "\($0.inSeconds)" }
            return metadata
        }
    }

    /// One attempt at a call.
    public struct Attempt: Sendable, Hashable {
        /// The call, such as `ips.add`.
        public let call: String
        /// The HTTP method.
        public let method: String
        /// The path, without the query.
        public let path: String
        /// The number of the attempt, starting at 1.
        public let number: Int
        /// The status of the response; `nil` if no complete one arrived.
        public let status: Int?
        /// Why no complete response arrived; `nil` if one did.
        public let failure: String?
        /// How long the attempt took.
        public let elapsed: Duration
        /// How long the client waits before the next attempt; `nil` if there is none.
        public let retryIn: Duration?

        init(_ attempt: ProxyMeshInternal.Attempt) {
            call = attempt.call
            method = attempt.method
            path = attempt.path
            number = Int(attempt.number)
            status = attempt.status.map(Int.init)
            failure = attempt.failure
            elapsed = Duration(inSeconds: attempt.elapsed)
            retryIn = attempt.retryIn.map(Duration.init(inSeconds:))
        }
    }
}
