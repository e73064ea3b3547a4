internal import ProxyMeshInternal

extension Client {
    /// IPs that may use the proxies without credentials, at most 100 per account.
    public struct IPs: Sendable {
        let client: Client

        /// Authorises an IP: `POST /api/ip/add/`. If the answer is lost it is looked up: it succeeds if the IP is there.
        ///
        /// - Parameters:
        ///   - ip: The address, v4 or v6.
        ///   - label: A note to keep with it, at most 255 characters.
        ///   - username: The sub-account it is for, if not the caller.
        /// - Returns: The address.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for one that is authorised already, and for the 101st;
        ///   ``ProxyMeshError/permissionDenied(_:)`` when a username was given by other than the parent account.
        @discardableResult
        public func add(_ ip: String, label: String? = nil, username: String? = nil) async throws -> String {
            try await client.call { try await $0.ipsAdd(ip: ip, label: label, username: username) }
        }

        /// Takes an IP away: `POST /api/ip/delete/`.
        ///
        /// - Parameters:
        ///   - ip: The address.
        ///   - username: The sub-account it belongs to, if not the caller.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for one that is not authorised; ``ProxyMeshError/permissionDenied(_:)``
        ///   when a username was given by other than the parent account.
        public func delete(_ ip: String, username: String? = nil) async throws {
            try await client.call { try await $0.ipsDelete(ip: ip, username: username) }
        }

        /// The authorised IPs: `GET /api/ips/`.
        ///
        /// - Parameter username: The sub-account whose IPs are meant, if not the caller's. For the parent account only.
        public func list(username: String? = nil) async throws -> [String] {
            try await client.call { try await $0.ipsList(username: username) }
        }

        /// The authorised IPs with their labels: `GET /api/ip_labels/`.
        ///
        /// - Parameter username: The sub-account whose IPs are meant, if not the caller's. For the parent account only.
        public func labels(username: String? = nil) async throws -> [LabeledIP] {
            try await client.call { try await $0.ipsLabels(username: username) }.map(LabeledIP.init)
        }
    }
}

extension BlockingClient {
    /// IPs that may use the proxies without credentials, at most 100 per account.
    public struct IPs: Sendable {
        let client: BlockingClient

        /// Authorises an IP: `POST /api/ip/add/`. If the answer is lost it is looked up: it succeeds if the IP is there.
        ///
        /// - Parameters:
        ///   - ip: The address, v4 or v6.
        ///   - label: A note to keep with it, at most 255 characters.
        ///   - username: The sub-account it is for, if not the caller.
        /// - Returns: The address.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for one that is authorised already, and for the 101st;
        ///   ``ProxyMeshError/permissionDenied(_:)`` when a username was given by other than the parent account.
        @discardableResult
        public func add(_ ip: String, label: String? = nil, username: String? = nil) throws(ProxyMeshError) -> String {
            try client.call { try $0.ipsAdd(ip: ip, label: label, username: username) }
        }

        /// Takes an IP away: `POST /api/ip/delete/`.
        ///
        /// - Parameters:
        ///   - ip: The address.
        ///   - username: The sub-account it belongs to, if not the caller.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for one that is not authorised; ``ProxyMeshError/permissionDenied(_:)``
        ///   when a username was given by other than the parent account.
        public func delete(_ ip: String, username: String? = nil) throws(ProxyMeshError) {
            try client.call { try $0.ipsDelete(ip: ip, username: username) }
        }

        /// The authorised IPs: `GET /api/ips/`.
        ///
        /// - Parameter username: The sub-account whose IPs are meant, if not the caller's. For the parent account only.
        public func list(username: String? = nil) throws(ProxyMeshError) -> [String] {
            try client.call { try $0.ipsList(username: username) }
        }

        /// The authorised IPs with their labels: `GET /api/ip_labels/`.
        ///
        /// - Parameter username: The sub-account whose IPs are meant, if not the caller's. For the parent account only.
        public func labels(username: String? = nil) throws(ProxyMeshError) -> [LabeledIP] {
            try client.call { try $0.ipsLabels(username: username) }.map(LabeledIP.init)
        }
    }
}
