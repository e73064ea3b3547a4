#if os(macOS) || os(Linux)
    /// An API call that has arrived at a ``Sandbox``.
    public struct RecordedRequest: Sendable, Hashable {
        /// `GET` or `POST`.
        public let method: String
        /// The path, such as `/api/ip/add/`.
        public let path: String
        /// The fields of the query. If a field is repeated, the last one counts.
        public let query: [String: String]
        /// The fields of the form. If a field is repeated, the last one counts.
        public let form: [String: String]
        /// Who made the call, if it had a username and password.
        public let username: String?
        /// The status of the response; `nil` if there was none.
        public let status: Int?
        /// The kind of the fault that the call met, such as `status`; `nil` if it met none.
        public let fault: String?
    }

    /// A request that a proxy of a ``Sandbox`` has received.
    public struct ProxiedRequest: Sendable, Hashable {
        /// The proxy's name, such as `us-ca`.
        public let proxy: String
        /// `CONNECT` for an https target.
        public let method: String
        /// Where to: `host:port` for a `CONNECT`, and the URL otherwise.
        public let target: String
        /// The headers, with their names in lower case. Credentials are redacted.
        public let headers: [String: String]
        /// Who may use the proxy; `nil` if the request was refused.
        public let account: String?
        /// The exit IP that was used; `nil` if there was none.
        public let exitIP: String?
        /// The country of the exit IP, if the proxy has exit IPs in several countries.
        public let country: String?
        /// The status of the proxy's response; `nil` if there was none.
        public let status: Int?
        /// How many bytes went through.
        public let bytes: Int
    }

    extension RecordedRequest: CustomStringConvertible {
        /// The method, the path and the status.
        public var description: String { "\(method) \(path) -> \(text(status))" }
    }

    extension ProxiedRequest: CustomStringConvertible {
        /// The proxy, the method, the target and the status.
        public var description: String { "\(proxy): \(method) \(target) -> \(text(status))" }
    }

    extension RecordedRequest: Decodable {
        private enum CodingKeys: CodingKey {
            case method, path, query, form, auth, status, fault
        }

        private struct Auth: Decodable {
            let username: String?
        }

        /// Reads a request as the sandbox's control describes it.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            method = try fields.decode(String.self, forKey: .method)
            path = try fields.decode(String.self, forKey: .path)
            query = pairs(try fields.decode([[String]].self, forKey: .query))
            form = pairs(try fields.decode([[String]].self, forKey: .form))
            username = try fields.decodeIfPresent(Auth.self, forKey: .auth)?.username
            status = try fields.decodeIfPresent(Int.self, forKey: .status)
            fault = try fields.decodeIfPresent(String.self, forKey: .fault)
        }
    }

    extension ProxiedRequest: Decodable {
        private enum CodingKeys: String, CodingKey {
            case proxy, method, target, headers, account, country, status, bytes
            case exitIP = "exit_ip"
        }

        /// Reads a request as the sandbox's control describes it.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            proxy = try fields.decode(String.self, forKey: .proxy)
            method = try fields.decode(String.self, forKey: .method)
            target = try fields.decode(String.self, forKey: .target)
            headers = pairs(try fields.decode([[String]].self, forKey: .headers))
            account = try fields.decodeIfPresent(String.self, forKey: .account)
            exitIP = try fields.decodeIfPresent(String.self, forKey: .exitIP)
            country = try fields.decodeIfPresent(String.self, forKey: .country)
            status = try fields.decodeIfPresent(Int.self, forKey: .status)
            bytes = try fields.decodeIfPresent(Int.self, forKey: .bytes) ?? 0
        }
    }

    private func pairs(_ list: [[String]]) -> [String: String] {
        Dictionary(list.compactMap { pair in pair.count == 2 ? (pair[0], pair[1]) : nil }) { _, last in last }
    }

    private func text(_ status: Int?) -> String {
        status.map(String.init) ?? "no response"
    }
#endif
