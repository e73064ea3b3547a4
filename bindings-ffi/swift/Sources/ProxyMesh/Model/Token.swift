import Foundation
internal import ProxyMeshInternal

/// A token, without its secret.
public struct Token: Sendable, Hashable, Identifiable, Codable {
    /// The ID, which the other token calls take.
    public let id: Int64
    /// The label; empty if there is none.
    public let label: String
    /// Whether it is active. A deactivated token cannot be used.
    public let isActive: Bool
    /// The year, month and day on which it expires; `nil` means never.
    public let expiresAt: DateComponents?
    /// When it was created. The service sends no time zone, so UTC is assumed.
    public let createdAt: Date

    /// Creates a value as a call would return it, for your own tests.
    public init(id: Int64, label: String = "", isActive: Bool = true, expiresAt: DateComponents? = nil, createdAt: Date) {
        self.id = id
        self.label = label
        self.isActive = isActive
        self.expiresAt = expiresAt
        self.createdAt = createdAt
    }

    init(_ given: ProxyMeshInternal.Token) {
        self.init(
            id: given.id,
            label: given.label,
            isActive: given.isActive,
            expiresAt: given.expiresAt.map(DateComponents.init(isoDate:)),
            createdAt: given.createdAt)
    }
}

/// A new token with its secret. The service shows the secret only once, so store it now.
///
/// The secret is redacted if the value is printed or dumped. The value is not `Codable`, so that the secret is not stored by accident.
/// Store ``secret`` where you keep secrets, such as the keychain. The value also has the properties of ``Token``, such as `new.id` and
/// `new.label`.
@dynamicMemberLookup
public struct NewToken: Sendable, Hashable {
    /// The token, as `list` returns it.
    public let token: Token
    /// The secret, `pm_…`. Pass it to ``Client``, or to the proxies as `Proxy-Authorization: Bearer`.
    public let secret: String

    /// Creates a value as a call would return it, for your own tests.
    public init(token: Token, secret: String) {
        self.token = token
        self.secret = secret
    }

    init(_ given: ProxyMeshInternal.NewToken) {
        self.init(token: Token(given.token), secret: given.secret)
    }

    /// A property of the token.
    public subscript<Value>(dynamicMember member: KeyPath<Token, Value>) -> Value {
        token[keyPath: member]
    }
}

extension NewToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The token, with the secret redacted.
    public var description: String { "NewToken(token: \(token), secret: \"[redacted]\")" }

    /// The token, with the secret redacted.
    public var debugDescription: String { description }

    /// The token, with the secret redacted.
    public var customMirror: Mirror {
        Mirror(self, children: ["token": token, "secret": "[redacted]"], displayStyle: .struct)
    }
}

extension DateComponents {
    /// Reads `YYYY-MM-DD`, the core's format.
    init(isoDate: String) {
        let parts = isoDate.split(separator: "-").map { Int($0) }
        self.init(year: parts.first ?? nil, month: parts.dropFirst().first ?? nil, day: parts.last ?? nil)
    }

    /// The date as `YYYY-MM-DD`. Missing parts stay empty, and the core then rejects the date.
    var isoDate: String {
        let parts = [(year, 4), (month, 2), (day, 2)].map { part, width in
            part.map { number in
                let digits = String(number)
                return String(repeating: "0", count: max(0, width - digits.count)) + digits
            } ?? ""
        }
        return parts.joined(separator: "-")
    }
}
