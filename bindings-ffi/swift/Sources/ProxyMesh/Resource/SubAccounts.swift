internal import ProxyMeshInternal

extension Client {
    /// Sub-accounts: create, limit, watch, delete. For the parent account only.
    public struct SubAccounts: Sendable {
        let client: Client

        /// Creates a sub-account: `POST /api/sub/create/`. It is never sent twice.
        ///
        /// - Parameters:
        ///   - username: 1 to 30 letters, digits and `.` `@` `+` `-` `_`.
        ///   - password: 1 to 128 characters.
        ///   - firstName: At most 20 characters.
        ///   - lastName: At most 20 characters.
        ///   - email: At most 255 characters.
        ///   - monthlyLimit: Whole gigabytes it may use in a billing period; 0 is no limit.
        ///   - totalLimit: Whole gigabytes it may use ever; 0 is no limit.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for a username that is taken, ``ProxyMeshError/planLimit(_:)`` when the
        ///   plan allows no more, ``ProxyMeshError/outcomeUnknown(_:)`` when no answer came: ``get(_:)`` tells whether it was
        ///   created.
        @discardableResult
        public func create(
            _ username: String,
            password: String? = nil,
            firstName: String? = nil,
            lastName: String? = nil,
            email: String? = nil,
            monthlyLimit: Int? = nil,
            totalLimit: Int? = nil
        ) async throws -> SubAccount {
            let fields = SubAccountFields(
                password: password, firstName: firstName, lastName: lastName, email: email,
                monthlyLimit: monthlyLimit.map(Int64.init), totalLimit: totalLimit.map(Int64.init))
            return SubAccount(try await client.call { try await $0.subAccountsCreate(username: username, fields: fields) })
        }

        /// Changes what is given, and nothing else: `POST /api/sub/edit/`. An empty text clears a name or e-mail address.
        ///
        /// - Parameters:
        ///   - username: An existing sub-account.
        ///   - password: 1 to 128 characters.
        ///   - firstName: At most 20 characters.
        ///   - lastName: At most 20 characters.
        ///   - email: At most 255 characters.
        ///   - monthlyLimit: Whole gigabytes it may use in a billing period; 0 is no limit.
        ///   - totalLimit: Whole gigabytes it may use ever; 0 is no limit.
        /// - Throws: ``ProxyMeshError/notFound(_:)``, or ``ProxyMeshError/permissionDenied(_:)`` when it is not yours.
        @discardableResult
        public func edit(
            _ username: String,
            password: String? = nil,
            firstName: String? = nil,
            lastName: String? = nil,
            email: String? = nil,
            monthlyLimit: Int? = nil,
            totalLimit: Int? = nil
        ) async throws -> SubAccount {
            let fields = SubAccountFields(
                password: password, firstName: firstName, lastName: lastName, email: email,
                monthlyLimit: monthlyLimit.map(Int64.init), totalLimit: totalLimit.map(Int64.init))
            return SubAccount(try await client.call { try await $0.subAccountsEdit(username: username, fields: fields) })
        }

        /// A sub-account with its usage and limits: `GET /api/sub/get/`.
        ///
        /// - Throws: ``ProxyMeshError/notFound(_:)``, or ``ProxyMeshError/permissionDenied(_:)`` when it is not yours.
        public func get(_ username: String) async throws -> SubAccount {
            SubAccount(try await client.call { try await $0.subAccountsGet(username: username) })
        }

        /// Lets it use the proxies again: `POST /api/sub/activate/`.
        ///
        /// - Throws: ``ProxyMeshError/notFound(_:)``, or ``ProxyMeshError/permissionDenied(_:)`` when it is not yours.
        @discardableResult
        public func activate(_ username: String) async throws -> SubAccount {
            SubAccount(try await client.call { try await $0.subAccountsActivate(username: username) })
        }

        /// Stops it from using the proxies, which then answer it 402: `POST /api/sub/deactivate/`.
        ///
        /// - Throws: ``ProxyMeshError/notFound(_:)``, or ``ProxyMeshError/permissionDenied(_:)`` when it is not yours.
        @discardableResult
        public func deactivate(_ username: String) async throws -> SubAccount {
            SubAccount(try await client.call { try await $0.subAccountsDeactivate(username: username) })
        }

        /// Deletes it for good: `POST /api/sub/delete/`.
        ///
        /// - Throws: ``ProxyMeshError/notFound(_:)``, or ``ProxyMeshError/permissionDenied(_:)`` when it is not yours.
        public func delete(_ username: String) async throws {
            try await client.call { try await $0.subAccountsDelete(username: username) }
        }
    }
}

extension BlockingClient {
    /// Sub-accounts: create, limit, watch, delete. For the parent account only.
    public struct SubAccounts: Sendable {
        let client: BlockingClient

        /// Creates a sub-account: `POST /api/sub/create/`. It is never sent twice.
        ///
        /// - Parameters:
        ///   - username: 1 to 30 letters, digits and `.` `@` `+` `-` `_`.
        ///   - password: 1 to 128 characters.
        ///   - firstName: At most 20 characters.
        ///   - lastName: At most 20 characters.
        ///   - email: At most 255 characters.
        ///   - monthlyLimit: Whole gigabytes it may use in a billing period; 0 is no limit.
        ///   - totalLimit: Whole gigabytes it may use ever; 0 is no limit.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for a username that is taken, ``ProxyMeshError/planLimit(_:)`` when the
        ///   plan allows no more, ``ProxyMeshError/outcomeUnknown(_:)`` when no answer came: ``get(_:)`` tells whether it was
        ///   created.
        @discardableResult
        public func create(
            _ username: String,
            password: String? = nil,
            firstName: String? = nil,
            lastName: String? = nil,
            email: String? = nil,
            monthlyLimit: Int? = nil,
            totalLimit: Int? = nil
        ) throws(ProxyMeshError) -> SubAccount {
            let fields = SubAccountFields(
                password: password, firstName: firstName, lastName: lastName, email: email,
                monthlyLimit: monthlyLimit.map(Int64.init), totalLimit: totalLimit.map(Int64.init))
            return SubAccount(try client.call { try $0.subAccountsCreate(username: username, fields: fields) })
        }

        /// Changes what is given, and nothing else: `POST /api/sub/edit/`. An empty text clears a name or e-mail address.
        ///
        /// - Parameters:
        ///   - username: An existing sub-account.
        ///   - password: 1 to 128 characters.
        ///   - firstName: At most 20 characters.
        ///   - lastName: At most 20 characters.
        ///   - email: At most 255 characters.
        ///   - monthlyLimit: Whole gigabytes it may use in a billing period; 0 is no limit.
        ///   - totalLimit: Whole gigabytes it may use ever; 0 is no limit.
        /// - Throws: ``ProxyMeshError/notFound(_:)``, or ``ProxyMeshError/permissionDenied(_:)`` when it is not yours.
        @discardableResult
        public func edit(
            _ username: String,
            password: String? = nil,
            firstName: String? = nil,
            lastName: String? = nil,
            email: String? = nil,
            monthlyLimit: Int? = nil,
            totalLimit: Int? = nil
        ) throws(ProxyMeshError) -> SubAccount {
            let fields = SubAccountFields(
                password: password, firstName: firstName, lastName: lastName, email: email,
                monthlyLimit: monthlyLimit.map(Int64.init), totalLimit: totalLimit.map(Int64.init))
            return SubAccount(try client.call { try $0.subAccountsEdit(username: username, fields: fields) })
        }

        /// A sub-account with its usage and limits: `GET /api/sub/get/`.
        ///
        /// - Throws: ``ProxyMeshError/notFound(_:)``, or ``ProxyMeshError/permissionDenied(_:)`` when it is not yours.
        public func get(_ username: String) throws(ProxyMeshError) -> SubAccount {
            SubAccount(try client.call { try $0.subAccountsGet(username: username) })
        }

        /// Lets it use the proxies again: `POST /api/sub/activate/`.
        ///
        /// - Throws: ``ProxyMeshError/notFound(_:)``, or ``ProxyMeshError/permissionDenied(_:)`` when it is not yours.
        @discardableResult
        public func activate(_ username: String) throws(ProxyMeshError) -> SubAccount {
            SubAccount(try client.call { try $0.subAccountsActivate(username: username) })
        }

        /// Stops it from using the proxies, which then answer it 402: `POST /api/sub/deactivate/`.
        ///
        /// - Throws: ``ProxyMeshError/notFound(_:)``, or ``ProxyMeshError/permissionDenied(_:)`` when it is not yours.
        @discardableResult
        public func deactivate(_ username: String) throws(ProxyMeshError) -> SubAccount {
            SubAccount(try client.call { try $0.subAccountsDeactivate(username: username) })
        }

        /// Deletes it for good: `POST /api/sub/delete/`.
        ///
        /// - Throws: ``ProxyMeshError/notFound(_:)``, or ``ProxyMeshError/permissionDenied(_:)`` when it is not yours.
        public func delete(_ username: String) throws(ProxyMeshError) {
            try client.call { try $0.subAccountsDelete(username: username) }
        }
    }
}
