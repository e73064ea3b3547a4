internal import ProxyMeshInternal

extension Client {
    /// Hostnames that may use the proxies without credentials.
    public struct Hostnames: Sendable {
        let client: Client

        /// Authorises a hostname: `POST /api/hostname/add/`.
        ///
        /// - Parameters:
        ///   - domain: The hostname, such as `crawler.example.com`.
        ///   - username: The sub-account it is for, if not the caller.
        /// - Returns: The hostname.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for one that is authorised already; ``ProxyMeshError/outcomeUnknown(_:)``
        ///   when the answer was lost and the hostname is a sub-account's, which cannot be looked up.
        @discardableResult
        public func add(_ domain: String, username: String? = nil) async throws -> String {
            try await client.call { try await $0.hostnamesAdd(domain: domain, username: username) }
        }

        /// Takes a hostname away: `POST /api/hostname/delete/`.
        ///
        /// - Parameters:
        ///   - domain: The hostname.
        ///   - username: The sub-account it belongs to, if not the caller.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for one that is not authorised; ``ProxyMeshError/outcomeUnknown(_:)``
        ///   when the answer was lost and the hostname is a sub-account's, which cannot be looked up.
        public func delete(_ domain: String, username: String? = nil) async throws {
            try await client.call { try await $0.hostnamesDelete(domain: domain, username: username) }
        }

        /// The caller's authorised hostnames: `GET /api/hostnames/`. The service does not list those of a sub-account.
        public func list() async throws -> [String] {
            try await client.call { try await $0.hostnamesList() }
        }
    }
}

extension BlockingClient {
    /// Hostnames that may use the proxies without credentials.
    public struct Hostnames: Sendable {
        let client: BlockingClient

        /// Authorises a hostname: `POST /api/hostname/add/`.
        ///
        /// - Parameters:
        ///   - domain: The hostname, such as `crawler.example.com`.
        ///   - username: The sub-account it is for, if not the caller.
        /// - Returns: The hostname.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for one that is authorised already; ``ProxyMeshError/outcomeUnknown(_:)``
        ///   when the answer was lost and the hostname is a sub-account's, which cannot be looked up.
        @discardableResult
        public func add(_ domain: String, username: String? = nil) throws(ProxyMeshError) -> String {
            try client.call { try $0.hostnamesAdd(domain: domain, username: username) }
        }

        /// Takes a hostname away: `POST /api/hostname/delete/`.
        ///
        /// - Parameters:
        ///   - domain: The hostname.
        ///   - username: The sub-account it belongs to, if not the caller.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for one that is not authorised; ``ProxyMeshError/outcomeUnknown(_:)``
        ///   when the answer was lost and the hostname is a sub-account's, which cannot be looked up.
        public func delete(_ domain: String, username: String? = nil) throws(ProxyMeshError) {
            try client.call { try $0.hostnamesDelete(domain: domain, username: username) }
        }

        /// The caller's authorised hostnames: `GET /api/hostnames/`. The service does not list those of a sub-account.
        public func list() throws(ProxyMeshError) -> [String] {
            try client.call { try $0.hostnamesList() }
        }
    }
}
