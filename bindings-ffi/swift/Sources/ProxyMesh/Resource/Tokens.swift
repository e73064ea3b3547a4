import Foundation
internal import ProxyMeshInternal

extension Client {
    /// Bearer tokens. These calls take the account's username and password only: with a token they throw
    /// ``ProxyMeshError/basicAuthRequired(_:)``, and nothing is sent.
    public struct Tokens: Sendable {
        let client: Client

        /// The tokens, without their secrets: `GET /api/tokens/`.
        ///
        /// - Parameter username: The sub-account whose tokens are meant, if not the caller's. For the parent account only.
        public func list(username: String? = nil) async throws -> [Token] {
            try await client.call { try await $0.tokensList(username: username) }.map(Token.init)
        }

        /// Creates a token: `POST /api/token/create/`. Its secret is in the answer, this once. It is never sent twice.
        ///
        /// - Parameters:
        ///   - label: A note to keep with it, at most 100 characters.
        ///   - expiresAt: The year, month and day on which it expires; never by default.
        ///   - username: The sub-account it is for, if not the caller.
        /// - Throws: ``ProxyMeshError/planLimit(_:)`` when the plan has no tokens, or no more;
        ///   ``ProxyMeshError/outcomeUnknown(_:)`` when no answer came: ``list(username:)`` tells whether it was created.
        public func create(
            label: String? = nil,
            expiresAt: DateComponents? = nil,
            username: String? = nil
        ) async throws -> NewToken {
            let date = expiresAt?.isoDate
            return NewToken(
                try await client.call { try await $0.tokensCreate(label: label, expiresAt: date, username: username) })
        }

        /// Makes a token usable again: `POST /api/token/activate/`.
        ///
        /// - Parameters:
        ///   - id: The token's number.
        ///   - username: The sub-account it belongs to, if not the caller.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for one that has expired.
        @discardableResult
        public func activate(_ id: Int64, username: String? = nil) async throws -> Token {
            Token(try await client.call { try await $0.tokensActivate(id: id, username: username) })
        }

        /// Makes a token unusable until it is activated: `POST /api/token/deactivate/`.
        ///
        /// - Parameters:
        ///   - id: The token's number.
        ///   - username: The sub-account it belongs to, if not the caller.
        @discardableResult
        public func deactivate(_ id: Int64, username: String? = nil) async throws -> Token {
            Token(try await client.call { try await $0.tokensDeactivate(id: id, username: username) })
        }

        /// Deletes a token for good: `POST /api/token/delete/`.
        ///
        /// - Parameters:
        ///   - id: The token's number.
        ///   - username: The sub-account it belongs to, if not the caller.
        public func delete(_ id: Int64, username: String? = nil) async throws {
            try await client.call { try await $0.tokensDelete(id: id, username: username) }
        }
    }
}

extension BlockingClient {
    /// Bearer tokens. These calls take the account's username and password only: with a token they throw
    /// ``ProxyMeshError/basicAuthRequired(_:)``, and nothing is sent.
    public struct Tokens: Sendable {
        let client: BlockingClient

        /// The tokens, without their secrets: `GET /api/tokens/`.
        ///
        /// - Parameter username: The sub-account whose tokens are meant, if not the caller's. For the parent account only.
        public func list(username: String? = nil) throws(ProxyMeshError) -> [Token] {
            try client.call { try $0.tokensList(username: username) }.map(Token.init)
        }

        /// Creates a token: `POST /api/token/create/`. Its secret is in the answer, this once. It is never sent twice.
        ///
        /// - Parameters:
        ///   - label: A note to keep with it, at most 100 characters.
        ///   - expiresAt: The year, month and day on which it expires; never by default.
        ///   - username: The sub-account it is for, if not the caller.
        /// - Throws: ``ProxyMeshError/planLimit(_:)`` when the plan has no tokens, or no more;
        ///   ``ProxyMeshError/outcomeUnknown(_:)`` when no answer came: ``list(username:)`` tells whether it was created.
        public func create(
            label: String? = nil,
            expiresAt: DateComponents? = nil,
            username: String? = nil
        ) throws(ProxyMeshError) -> NewToken {
            let date = expiresAt?.isoDate
            return NewToken(
                try client.call { try $0.tokensCreate(label: label, expiresAt: date, username: username) })
        }

        /// Makes a token usable again: `POST /api/token/activate/`.
        ///
        /// - Parameters:
        ///   - id: The token's number.
        ///   - username: The sub-account it belongs to, if not the caller.
        /// - Throws: ``ProxyMeshError/badRequest(_:)`` for one that has expired.
        @discardableResult
        public func activate(_ id: Int64, username: String? = nil) throws(ProxyMeshError) -> Token {
            Token(try client.call { try $0.tokensActivate(id: id, username: username) })
        }

        /// Makes a token unusable until it is activated: `POST /api/token/deactivate/`.
        ///
        /// - Parameters:
        ///   - id: The token's number.
        ///   - username: The sub-account it belongs to, if not the caller.
        @discardableResult
        public func deactivate(_ id: Int64, username: String? = nil) throws(ProxyMeshError) -> Token {
            Token(try client.call { try $0.tokensDeactivate(id: id, username: username) })
        }

        /// Deletes a token for good: `POST /api/token/delete/`.
        ///
        /// - Parameters:
        ///   - id: The token's number.
        ///   - username: The sub-account it belongs to, if not the caller.
        public func delete(_ id: Int64, username: String? = nil) throws(ProxyMeshError) {
            try client.call { try $0.tokensDelete(id: id, username: username) }
        }
    }
}
