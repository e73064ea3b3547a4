import Foundation
internal import ProxyMeshInternal

/// A token, without its secret value.
public struct Token: Sendable, Hashable, Identifiable {
    /// Its number.
    public let id: Int64
    /// Its label; no label is the empty text.
    public let label: String
    /// Whether it may be used.
    public let isActive: Bool
    /// The year, month and day on which it expires; `nil` is never.
    public let expiresAt: DateComponents?
    /// When it was created.
    public let createdAt: Date

    /// A value as a call would give it, for tests of your own.
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

/// A token just created, with its secret value. The service shows that value this once: store it now.
///
/// It has what ``Token`` has (`new.id`, `new.label`), and shows the secret redacted wherever it is printed or dumped.
@dynamicMemberLookup
public struct NewToken: Sendable, Hashable {
    /// The token as it will be listed.
    public let token: Token
    /// The secret, `pm_…`: for ``Client``, and for the proxies as `Proxy-Authorization: Bearer`.
    public let secret: String

    /// A value as a call would give it, for tests of your own.
    public init(token: Token, secret: String) {
        self.token = token
        self.secret = secret
    }

    init(_ given: ProxyMeshInternal.NewToken) {
        self.init(token: Token(given.token), secret: given.secret)
    }

    /// What the token has.
    public subscript<Value>(dynamicMember member: KeyPath<Token, Value>) -> Value {
        token[keyPath: member]
    }
}

extension NewToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// All but the secret.
    public var description: String { "NewToken(token: \(token), secret: \"[redacted]\")" }

    /// All but the secret.
    public var debugDescription: String { description }

    /// All but the secret.
    public var customMirror: Mirror {
        Mirror(self, children: ["token": token, "secret": "[redacted]"], displayStyle: .struct)
    }
}

extension DateComponents {
    /// Reads `YYYY-MM-DD`, as the core writes it.
    init(isoDate: String) {
        let parts = isoDate.split(separator: "-").map { Int($0) }
        self.init(year: parts.first ?? nil, month: parts.dropFirst().first ?? nil, day: parts.last ?? nil)
    }

    /// `YYYY-MM-DD`. What is missing is left out, which the core then refuses.
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
