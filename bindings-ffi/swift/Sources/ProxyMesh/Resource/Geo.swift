internal import ProxyMeshInternal

extension Client {
    /// Exit IPs per country.
    public struct Geo: Sendable {
        let client: Client

        /// Exit IPs per country code of the open proxy: `GET /api/geoips/open/`.
        public func open() async throws -> [String: Int] {
            try await client.call { try await $0.geoOpen() }.mapValues { Int(clamping: $0) }
        }

        /// Exit IPs per country code of the world proxy: `GET /api/geoips/world/`.
        public func world() async throws -> [String: Int] {
            try await client.call { try await $0.geoWorld() }.mapValues { Int(clamping: $0) }
        }
    }
}

extension BlockingClient {
    /// Exit IPs per country.
    public struct Geo: Sendable {
        let client: BlockingClient

        /// Exit IPs per country code of the open proxy: `GET /api/geoips/open/`.
        public func open() throws(ProxyMeshError) -> [String: Int] {
            try client.call { try $0.geoOpen() }.mapValues { Int(clamping: $0) }
        }

        /// Exit IPs per country code of the world proxy: `GET /api/geoips/world/`.
        public func world() throws(ProxyMeshError) -> [String: Int] {
            try client.call { try $0.geoWorld() }.mapValues { Int(clamping: $0) }
        }
    }
}
