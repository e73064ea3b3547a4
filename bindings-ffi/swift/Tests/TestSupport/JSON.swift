import Foundation

/// JSON that can be compared.
package enum JSON: Hashable, Sendable, Codable {
    case null
    case bool(Bool)
    case whole(Int64)
    case decimal(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    package init(from decoder: any Decoder) throws {
        let one = try decoder.singleValueContainer()
        if one.decodeNil() {
            self = .null
        } else if let bool = try? one.decode(Bool.self) {
            self = .bool(bool)
        } else if let whole = try? one.decode(Int64.self) {
            self = .whole(whole)
        } else if let decimal = try? one.decode(Double.self) {
            self = JSON(decimal)
        } else if let text = try? one.decode(String.self) {
            self = .text(text)
        } else if let list = try? one.decode([JSON].self) {
            self = .list(list)
        } else {
            self = .object(try one.decode([String: JSON].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var one = encoder.singleValueContainer()
        switch self {
        case .null: try one.encodeNil()
        case .bool(let bool): try one.encode(bool)
        case .whole(let whole): try one.encode(whole)
        case .decimal(let decimal): try one.encode(decimal)
        case .text(let text): try one.encode(text)
        case .list(let list): try one.encode(list)
        case .object(let object): try one.encode(object)
        }
    }

    /// 2.0 and 2 are the same number.
    package init(_ number: Double) {
        self = Int64(exactly: number).map(JSON.whole) ?? .decimal(number)
    }

    package init(_ text: String?) {
        self = text.map(JSON.text) ?? .null
    }

    package static func read(_ data: Data) throws -> JSON {
        try JSONDecoder().decode(JSON.self, from: data)
    }

    /// The value as JSON text.
    package var written: String { String(decoding: try! JSONEncoder().encode(self), as: UTF8.self) }

    package subscript(name: String) -> JSON? {
        if case .object(let object) = self { object[name] } else { nil }
    }

    package var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    package var whole: Int64? {
        if case .whole(let whole) = self { whole } else { nil }
    }

    package var number: Double? {
        switch self {
        case .whole(let whole): Double(whole)
        case .decimal(let decimal): decimal
        default: nil
        }
    }

    package var list: [JSON]? {
        if case .list(let list) = self { list } else { nil }
    }

    package var object: [String: JSON]? {
        if case .object(let object) = self { object } else { nil }
    }
}
