internal import ProxyMeshInternal

extension Client {
    /// The proxies that the account may use.
    public struct Proxies: Sendable {
        let client: Client

        /// The proxies that the account may use: `GET /api/proxies/`.
        public func list() async throws -> [Proxy] {
            try await client.call { try await $0.proxiesList() }.map(Proxy.init)
        }

        /// Authorises the account for a proxy: `POST /api/proxy/add/`. For one that is authorised already, it changes nothing and
        /// succeeds.
        ///
        /// - Parameter proxy: Its host (`us-ca`), its domain (`us-ca.proxymesh.com`), or `domain:port`.
        /// - Returns: Its domain.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for a proxy that there is not, ``ProxyMeshError/planLimit(_:)`` when the
        ///   plan allows no more, ``ProxyMeshError/server(_:)`` (503) when the plan could not be looked up: try again in a few
        ///   minutes.
        @discardableResult
        public func add(_ proxy: String) async throws -> String {
            try await client.call { try await $0.proxiesAdd(proxy: proxy) }
        }

        /// Authorises the account for a proxy, as ``add(_:)-(String)`` does.
        ///
        /// - Parameter proxy: A proxy as ``list()`` gives it.
        /// - Returns: Its domain.
        @discardableResult
        public func add(_ proxy: Proxy) async throws -> String {
            try await add(proxy.description)
        }

        /// Takes the authorisation for a proxy away: `POST /api/proxy/delete/`. For one that has none, it changes nothing and
        /// succeeds.
        ///
        /// - Parameter proxy: Its host (`us-ca`), its domain (`us-ca.proxymesh.com`), or `domain:port`.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for a proxy that there is not.
        public func delete(_ proxy: String) async throws {
            try await client.call { try await $0.proxiesDelete(proxy: proxy) }
        }

        /// Takes the authorisation for a proxy away, as ``delete(_:)-(String)`` does.
        ///
        /// - Parameter proxy: A proxy as ``list()`` gives it.
        public func delete(_ proxy: Proxy) async throws {
            try await delete(proxy.description)
        }
    }
}

extension BlockingClient {
    /// The proxies that the account may use.
    public struct Proxies: Sendable {
        let client: BlockingClient

        /// The proxies that the account may use: `GET /api/proxies/`.
        public func list() throws(ProxyMeshError) -> [Proxy] {
            try client.call { try $0.proxiesList() }.map(Proxy.init)
        }

        /// Authorises the account for a proxy: `POST /api/proxy/add/`. For one that is authorised already, it changes nothing and
        /// succeeds.
        ///
        /// - Parameter proxy: Its host (`us-ca`), its domain (`us-ca.proxymesh.com`), or `domain:port`.
        /// - Returns: Its domain.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for a proxy that there is not, ``ProxyMeshError/planLimit(_:)`` when the
        ///   plan allows no more, ``ProxyMeshError/server(_:)`` (503) when the plan could not be looked up: try again in a few
        ///   minutes.
        @discardableResult
        public func add(_ proxy: String) throws(ProxyMeshError) -> String {
            try client.call { try $0.proxiesAdd(proxy: proxy) }
        }

        /// Authorises the account for a proxy, as ``add(_:)-(String)`` does.
        ///
        /// - Parameter proxy: A proxy as ``list()`` gives it.
        /// - Returns: Its domain.
        @discardableResult
        public func add(_ proxy: Proxy) throws(ProxyMeshError) -> String {
            try add(proxy.description)
        }

        /// Takes the authorisation for a proxy away: `POST /api/proxy/delete/`. For one that has none, it changes nothing and
        /// succeeds.
        ///
        /// - Parameter proxy: Its host (`us-ca`), its domain (`us-ca.proxymesh.com`), or `domain:port`.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for a proxy that there is not.
        public func delete(_ proxy: String) throws(ProxyMeshError) {
            try client.call { try $0.proxiesDelete(proxy: proxy) }
        }

        /// Takes the authorisation for a proxy away, as ``delete(_:)-(String)`` does.
        ///
        /// - Parameter proxy: A proxy as ``list()`` gives it.
        public func delete(_ proxy: Proxy) throws(ProxyMeshError) {
            try delete(proxy.description)
        }
    }
}
