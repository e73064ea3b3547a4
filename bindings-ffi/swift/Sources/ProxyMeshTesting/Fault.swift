#if os(macOS) || os(Linux)
    /// A way in which a call fails. ``Sandbox/inject(_:method:path:times:after:)`` takes it.
    public struct Fault: Sendable, Hashable {
        let kind: String
        var status: Int?
        var headers: [String: String]?
        var body: String?
        var seconds: Double?

        private init(_ kind: String, after time: Duration? = nil) {
            self.kind = kind
            seconds = time.map { $0 / .seconds(1) }
        }

        /// The call is not carried out, and the response has this status.
        ///
        /// - Parameters:
        ///   - status: The HTTP status.
        ///   - headers: Further headers of the response.
        ///   - body: The body of the response; by default, an error as the service writes it.
        public static func status(_ status: Int, headers: [String: String] = [:], body: String? = nil) -> Fault {
            var fault = Fault("status")
            fault.status = status
            fault.headers = headers.isEmpty ? nil : headers
            fault.body = body
            return fault
        }

        /// The call is not carried out, and the response is a redirect (302).
        public static let redirect = Fault("redirect")

        /// The call is not carried out, and the connection closes without a response.
        public static let drop = Fault("drop")

        /// The call is not carried out, and the connection is reset.
        public static let reset = Fault("reset")

        /// The call is carried out after this time, unless the client disconnects before.
        public static func delay(_ time: Duration) -> Fault {
            Fault("delay", after: time)
        }

        /// The call is carried out at once, and the response comes after this time.
        public static func delayAfterApply(_ time: Duration) -> Fault {
            Fault("delay_after_apply", after: time)
        }

        /// The call is carried out, and the connection closes without a response.
        public static let dropAfterApply = Fault("drop_after_apply")

        /// The call is carried out, and the connection closes halfway through the response.
        public static let truncate = Fault("truncate")

        /// The call is carried out, and the response is random bytes.
        public static let garbage = Fault("garbage")

        /// The call is carried out, and the response is an HTML page.
        public static let html = Fault("html")

        /// The call is carried out, and the response is empty.
        public static let empty = Fault("empty")
    }

    /// A fault and the calls that meet it, as the sandbox's control accepts them.
    struct Injection: Encodable {
        private let kind: String
        private let status: Int?
        private let headers: [String: String]?
        private let body: String?
        private let seconds: Double?
        private let method: String?
        private let path: String?
        private let proxy: String?
        private let times: Int
        private let after: Int

        init(_ fault: Fault, method: String? = nil, path: String? = nil, proxy: String? = nil, times: Int, after: Int) {
            kind = fault.kind
            status = fault.status
            headers = fault.headers
            body = fault.body
            seconds = fault.seconds
            self.method = method
            self.path = path
            self.proxy = proxy
            self.times = times
            self.after = after
        }
    }
#endif
